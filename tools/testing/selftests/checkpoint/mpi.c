// SPDX-License-Identifier: GPL-2.0-only
/* A program of several processes that exchange numbers, for real_trees_test. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS	60

int main(int argc, char **argv)
{
	unsigned long long x, sum;
	FILE *progress;
	int i, j, rank;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	x = rank + 1;
	for (i = 0; i < ROUNDS; i++) {
		for (j = 0; j < 200000; j++)
			x = x * 6364136223846793005ULL + 1442695040888963407ULL + j;
		MPI_Allreduce(&x, &sum, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
		x ^= sum >> 7;
		if (rank)
			continue;
		printf("%d %llu\n", i, sum);
		progress = fopen("progress", "a");
		if (!progress || fputs("x\n", progress) < 0 || fclose(progress))
			return 1;
	}
	MPI_Finalize();
	return 0;
}
