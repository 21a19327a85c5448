/* SPDX-License-Identifier: Apache-2.0 */
import java.util.Random;

/** Prints numbers of all kinds as a C table of their bits and Java's texts: {@code Texts COUNT SEED}. */
final class Texts {
    private static final double[] EDGES = {
        0.0, -0.0, 1.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.MIN_VALUE, Double.MIN_NORMAL,
        Double.MAX_VALUE, 1e-322, 1e7, 9999999.0, 1e-3, 9.999e-4, 2e-5, 2e23, 1e23, 8.41e21, 5e22, 9007199254740993.0, 0x1p63,
    };
    private static final float[] FLOAT_EDGES = {0f, -0f, Float.NaN, 1e-45f, 3e-45f, 8.5e9f, 3.4028235e38f, 1.17549435e-38f, 1e7f};

    private static double draw(Random r, int kind) {
        switch (kind) {
            case 0: return Double.longBitsToDouble(r.nextLong());
            case 1: return (r.nextInt(2000001) - 1000000) / 1000.0;
            case 2: return r.nextInt(100000) * Math.pow(10, r.nextInt(40) - 20);
            case 3: return Math.scalb(1.0, r.nextInt(2100) - 1075);
            case 4: return r.nextLong();
            case 5: return r.nextInt() * Math.scalb(1.0, r.nextInt(80) - 50);
            case 6: return r.nextDouble();
            default: return Double.parseDouble((1 + r.nextInt(99)) + "E" + (r.nextInt(620) - 315));
        }
    }

    private static float drawFloat(Random r, int kind) {
        switch (kind) {
            case 0: return Float.intBitsToFloat(r.nextInt());
            case 1: return r.nextInt(100000) / 100f;
            case 2: return Math.scalb(1f, r.nextInt(276) - 149);
            case 3: return r.nextInt();
            default: return Float.parseFloat((1 + r.nextInt(999)) + "E" + (r.nextInt(80) - 45));
        }
    }

    private static void put(StringBuilder out, double d) {
        out.append(String.format("    {0x%016x, 'd', \"%s\"},%n", Double.doubleToLongBits(d), Double.toString(d)));
    }

    private static void put(StringBuilder out, float f) {
        out.append(String.format("    {0x%08x, 'f', \"%s\"},%n", Float.floatToIntBits(f), Float.toString(f)));
    }

    public static void main(String[] args) {
        Random r = new Random(Long.parseLong(args[1]));
        StringBuilder out = new StringBuilder();
        for (double d : EDGES) {
            put(out, d);
        }
        for (float f : FLOAT_EDGES) {
            put(out, f);
        }
        for (int i = 0; i < Integer.parseInt(args[0]); i++) {
            put(out, draw(r, i % 8));
            put(out, drawFloat(r, i % 5));
        }
        System.out.print(out);
    }
}
