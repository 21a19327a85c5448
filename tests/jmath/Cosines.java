// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Random;
import org.jtransforms.dct.DoubleDCT_1D;

/**
 * Writes vectors and JTransforms' scaled cosine transforms of them, forward and inverse, to standard output: of each
 * length from LEAST to MOST, COUNT times, its length and whether inverse (little-endian 32-bit words), the numbers and
 * the results (64-bit words).
 */
public final class Cosines {
    private static final DataOutputStream OUT = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 20));

    private static double number(Random r, int kind) {
        switch (kind) {
            case 0: return r.nextGaussian();
            case 1: return r.nextInt(7) - 3;
            case 2: return r.nextInt(3) == 0 ? -0.0 : 0.0;
            case 3: return Double.longBitsToDouble(r.nextLong());
            case 4: return Math.scalb(r.nextGaussian(), r.nextInt(200) - 100);
            default: return r.nextInt(8) == 0 ? 1.0 : -0.0;
        }
    }

    private static void write(double[] numbers) throws IOException {
        for (double x : numbers) {
            OUT.writeLong(Long.reverseBytes(Double.doubleToRawLongBits(x)));
        }
    }

    private static void transform(DoubleDCT_1D transform, double[] numbers, boolean inverse) throws IOException {
        OUT.writeInt(Integer.reverseBytes(numbers.length));
        OUT.writeInt(Integer.reverseBytes(inverse ? 1 : 0));
        write(numbers);
        if (inverse) {
            transform.inverse(numbers, true);
        } else {
            transform.forward(numbers, true);
        }
        write(numbers);
    }

    public static void main(String[] args) throws IOException {
        int most = Integer.parseInt(args[1]);
        int count = Integer.parseInt(args[2]);
        Random random = new Random(most);
        for (int n = Integer.parseInt(args[0]); n <= most; n++) {
            DoubleDCT_1D transform = new DoubleDCT_1D(n);
            for (int i = 0; i < 2 * count; i++) {
                double[] numbers = new double[n];
                for (int k = 0; k < n; k++) {
                    numbers[k] = number(random, i / 2 % 6);
                }
                transform(transform, numbers, i % 2 == 1);
            }
        }
        OUT.flush();
        Runtime.getRuntime().halt(0); // JTransforms' threads would not end
    }
}
