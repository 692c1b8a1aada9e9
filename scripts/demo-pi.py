#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""demo-pi.py DIGITS FILE: writes digits of pi, as they are found, 50 a line.
Gibbons' spigot: nothing but integers that grow and grow."""

import sys


def pi_digits():
    q, r, t, k, n, m = 1, 0, 1, 1, 3, 3
    while True:
        if 4 * q + r - t < n * t:
            yield n
            q, r, n = 10 * q, 10 * (r - n * t), 10 * (3 * q + r) // t - 10 * n
        else:
            q, r, t, k, n, m = (q * k, (2 * q + r) * m, t * m, k + 1,
                                (q * (7 * k + 2) + r * m) // (t * m), m + 2)


def main():
    wanted = int(sys.argv[1])
    with open(sys.argv[2], "w", encoding="ascii") as file:
        for count, digit in enumerate(pi_digits(), 1):
            file.write(str(digit))
            if count % 50 == 0:
                file.write("\n")
                file.flush()
            if count == wanted:
                return


if __name__ == "__main__":
    main()
