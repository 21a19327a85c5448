// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.DoubleUnaryOperator;

/**
 * Writes test vectors of java.lang.Math to standard output: for each argument (for pow: pair) its bits and the bits of
 * the result, as little-endian 64-bit words.
 *
 *     java Vectors.java FUNCTION COUNT SEED | ./compare FUNCTION intel|amd
 */
public final class Vectors {
    private static final double LN2 = 0.6931471805599453;
    private static final double[] SPECIAL = {
        0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 2.5, 0.25, 10, 100, 1000, -1000, Double.MIN_VALUE,
        -Double.MIN_VALUE, Double.MIN_NORMAL, -Double.MIN_NORMAL, Math.nextDown(Double.MIN_NORMAL), Double.MAX_VALUE,
        -Double.MAX_VALUE, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN,
        Double.longBitsToDouble(0xfff8000000000123L), Double.longBitsToDouble(0x7ff0000000000001L),
        Math.nextUp(1.0), Math.nextDown(1.0), -Math.nextUp(1.0), -Math.nextDown(1.0), 709.782712893384,
        709.782712893385, -745.1332191019411, -745.1332191019412, -708.3964185322641, -708.3964185322642,
        1024, -1024, 1023.9999999999999, 0x1p-54, -0x1p-54, 0x1p-53, 0x1p-55, 0x1p51, 0x1p51 + 1, 0x1p51 + 0.5, 0x1p52,
        0x1p52 + 1, 0x1p52 - 0.5,
        0x1p53, 0x1p53 + 2, -0x1p51 - 1, -0x1p52 - 1, 4095.999, 4096, 4097, -4095, -4097, 0.96875, 1.0625, -0.96875,
        Math.nextDown(0.96875), Math.nextDown(1.0625), 1e300, 1e-300, -1e300, 1e308, 22, 0x1p28, 0x1p-28, 0x1p-27,
        56 * LN2,
    };

    private final OutputStream out = new BufferedOutputStream(new java.io.FileOutputStream(java.io.FileDescriptor.out),
            1 << 20);
    private final byte[] word = new byte[8];
    private long state;

    private Vectors(long seed) {
        state = seed;
    }

    private long nextBits() { // SplitMix64
        long z = state += 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    private int below(int n) {
        return (int) ((nextBits() >>> 33) * n >>> 31);
    }

    private double uniform(double low, double high) {
        return low + (high - low) * ((nextBits() >>> 11) * 0x1p-53);
    }

    private double sign(double x) {
        return (nextBits() & 1) == 0 ? x : -x;
    }

    /** A random mantissa with an exponent from low up to high. */
    private double logUniform(int low, int high) {
        return Math.scalb(1 + (nextBits() >>> 12) * 0x1p-52, low + below(high - low + 1));
    }

    /** x moved by up to count units in the last place. */
    private double near(double x, int count) {
        return Double.longBitsToDouble(Double.doubleToRawLongBits(x) + below(2 * count + 1) - count);
    }

    private double anyBits() {
        return Double.longBitsToDouble(nextBits());
    }

    private double subnormal() {
        return Double.longBitsToDouble(nextBits() >>> 12 + below(52));
    }

    private double expArgument() {
        switch (below(16)) {
            case 0: case 1: case 2: case 3: return uniform(-745.2, 709.8);
            case 4: case 5: return uniform(-40, 40);
            case 6: case 7: return uniform(-1, 1);
            case 8: return sign(logUniform(-60, 10));
            case 9: return anyBits();
            case 10: return uniform(709.0, 709.79);
            case 11: return uniform(-745.2, -707.5);
            case 12: return near((2 * below(140000) - 140000 + 1) * (LN2 / 128), 4);
            case 13: return (below(3001) - 1500) * 0.5;
            case 14: return below(2) == 0 ? sign(subnormal()) : sign(logUniform(-1022, -40));
            default: return (float) uniform(-88, 88);
        }
    }

    private double logArgument() {
        switch (below(16)) {
            case 0: case 1: case 2: case 3: return Double.longBitsToDouble(nextBits() >>> 1);
            case 4: case 5: return uniform(0, 1);
            case 6: return uniform(0.5, 2);
            case 7: case 8: return 1 + sign(logUniform(-53, -1));
            case 9: return uniform(0, 1000);
            case 10: case 11: return near(Math.scalb(1 + below(2048) / 2048.0, below(8) - 4), 8);
            case 12: return subnormal();
            case 13: return below(2) == 0 ? below(Integer.MAX_VALUE) : below(4096) * 0.5;
            case 14: return anyBits();
            default: return (float) logUniform(-30, 30);
        }
    }

    private double genericArgument() {
        switch (below(12)) {
            case 0: case 1: return uniform(-1, 1);
            case 2: case 3: return uniform(-50, 50);
            case 4: return uniform(-1000, 1000);
            case 5: case 6: return sign(logUniform(-70, 12));
            case 7: return anyBits();
            case 8: return near((below(4000) - 2000) * (LN2 / 2), 4);
            case 9: return (below(3001) - 1500) * 0.5;
            case 10: return below(4) == 0 ? sign(subnormal()) : uniform(-0.2928937, -0.292893);
            default: return -1 + logUniform(-53, 3);
        }
    }

    private double angle() {
        switch (below(12)) {
            case 0: case 1: case 2: return uniform(-10, 10);
            case 3: return uniform(-1000, 1000);
            case 4: return uniform(-1e6, 1e6);
            case 5: case 6: return sign(logUniform(-60, 20));
            case 7: return anyBits();
            case 8: case 9: return near((below(200000) - 100000) * (Math.PI / 64), 8);
            case 10: return below(2) == 0 ? (below(2000001) - 1000000) * 0.5 : sign(subnormal());
            default: return sign(logUniform(14, 1023));
        }
    }

    private double powBase() {
        switch (below(12)) {
            case 0: case 1: return uniform(0, 2);
            case 2: return uniform(0, 100);
            case 3: return logUniform(-1022, 1023);
            case 4: return 1 + sign(logUniform(-53, -1));
            case 5: return uniform(0.96, 1.07);
            case 6: return near(Math.scalb(1 + below(2048) / 2048.0, below(8) - 4), 8);
            case 7: return sign(below(1 << 20));
            case 8: return below(4) == 0 ? sign(subnormal()) : logUniform(-8, 8);
            case 9: return -logUniform(-20, 20);
            case 10: return below(8) == 0 ? anyBits() : uniform(0.5, 2);
            default: return (float) logUniform(-10, 10);
        }
    }

    private double powExponent(double x) {
        double scale = 1 / (Math.log(Math.abs(x)) / LN2);
        switch (below(14)) {
            case 0: case 1: return uniform(-10, 10);
            case 2: return uniform(-1000, 1000);
            case 3: return sign(logUniform(-70, 12));
            case 4: case 5: return uniform(-1080, 1030) * scale;
            case 6: return uniform(1020, 1026) * scale;
            case 7: return uniform(-1076, -1018) * scale;
            case 8: return below(41) - 20;
            case 9: return Math.rint(sign(logUniform(0, 60)));
            case 10: return sign(logUniform(11, 60));
            case 11: return below(8) == 0 ? anyBits() : uniform(-3, 3);
            case 12: return Math.rint(uniform(-1080, 1030) * scale);
            default: return (below(401) - 200) * 0.5;
        }
    }

    private void write(double x) throws IOException {
        long bits = Double.doubleToRawLongBits(x);
        for (int i = 0; i < 8; i++) {
            word[i] = (byte) (bits >>> 8 * i);
        }
        out.write(word, 0, 8);
    }

    private double argument(String name) {
        switch (name) {
            case "exp": case "fm_exp": return expArgument();
            case "log": case "log10": case "fm_log": return logArgument();
            case "sin": case "cos": case "tan": return angle();
            default: return genericArgument();
        }
    }

    private static DoubleUnaryOperator function(String name) {
        switch (name) {
            case "exp": return x -> Math.exp(x);
            case "log": return x -> Math.log(x);
            case "log10": return x -> Math.log10(x);
            case "log1p": return x -> Math.log1p(x);
            case "expm1": return x -> Math.expm1(x);
            case "sin": return x -> Math.sin(x);
            case "cos": return x -> Math.cos(x);
            case "tan": return x -> Math.tan(x);
            case "tanh": return x -> Math.tanh(x);
            case "cbrt": return x -> Math.cbrt(x);
            case "fm_exp": return commons("util.FastMath", "exp");
            case "fm_log": return commons("util.FastMath", "log");
            case "fm_erf": return commons("special.Erf", "erf");
            default: throw new IllegalArgumentException(name);
        }
    }

    /** A function of commons-math, found where it runs: this file is compiled without it. */
    private static DoubleUnaryOperator commons(String where, String name) {
        MethodHandle found;
        try {
            found = MethodHandles.publicLookup().findStatic(Class.forName("org.apache.commons.math3." + where), name,
                    MethodType.methodType(double.class, double.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("commons-math 3.6.1 must be in the class path", e);
        }
        return x -> {
            try {
                return (double) found.invokeExact(x);
            } catch (Throwable e) {
                throw new IllegalStateException(name + " of " + x, e);
            }
        };
    }

    private void writePow(double x, double y) throws IOException {
        write(x);
        write(y);
        write(Math.pow(x, y));
    }

    private void runPow(long count) throws IOException {
        for (double x : SPECIAL) {
            for (double y : SPECIAL) {
                writePow(x, y);
            }
        }
        for (long i = 0; i < count; i++) {
            double x = powBase();
            double y = powExponent(x);
            writePow(x, y);
        }
    }

    private void run(String name, long count) throws IOException {
        DoubleUnaryOperator f = function(name);
        for (double x : SPECIAL) {
            write(x);
            write(f.applyAsDouble(x));
        }
        for (long i = 0; i < count; i++) {
            double x = argument(name);
            write(x);
            write(f.applyAsDouble(x));
        }
    }

    public static void main(String[] args) throws IOException {
        String name = args[0];
        long count = Long.parseLong(args[1]);
        Vectors vectors = new Vectors(Long.parseLong(args[2]));
        if (name.equals("pow")) {
            vectors.runPow(count);
        } else {
            vectors.run(name, count);
        }
        vectors.out.flush();
    }
}
