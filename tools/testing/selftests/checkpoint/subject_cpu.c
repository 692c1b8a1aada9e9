// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processor state. One thread has known values in all registers of a kind and
 * does nothing but look at a flag, while the main thread is told to go on and
 * sets the flag; then the registers are stored and compared.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "subject.h"

static volatile uint32_t spinning, stop;

static void run_spinner(void *(*fn)(void *arg), int stages)
{
	pthread_t thread;

	need(!pthread_create(&thread, NULL, fn, NULL));
	while (!spinning)
		sched_yield();
	while (stages--)
		stage();
	stop = 1;
	check_eq(0, pthread_join(thread, NULL));
}

static uint64_t regs[16];

/* rbx..r15 without rcx and rsp, then the flags that a program can have. */
static void *spin_general(void *arg)
{
	static const uint64_t want[] = {
		0x1111111111111111, 0x2222222222222222, 0x8333333333333333, 0x4444444444444444,
		0x5555555555555555, 0x6666666666666666, 0xf777777777777777, 0x8888888888888888,
		0x9999999999999999, 0xaaaaaaaaaaaaaaaa, 0xbbbbbbbbbbbbbbbb, 0xcccccccccccccccc,
		0xdddddddddddddddd, 0xcd7 /* CF PF AF ZF SF DF OF */
	};
	size_t i;

	asm volatile("push	%%rbp\n"
		     "mov	%[want], %%rcx\n"
		     "push	13*8(%%rcx)\n"
		     "mov	(%%rcx), %%rax\n"
		     "mov	1*8(%%rcx), %%rbx\n"
		     "mov	2*8(%%rcx), %%rdx\n"
		     "mov	3*8(%%rcx), %%rsi\n"
		     "mov	4*8(%%rcx), %%rdi\n"
		     "mov	5*8(%%rcx), %%rbp\n"
		     "mov	6*8(%%rcx), %%r8\n"
		     "mov	7*8(%%rcx), %%r9\n"
		     "mov	8*8(%%rcx), %%r10\n"
		     "mov	9*8(%%rcx), %%r11\n"
		     "mov	10*8(%%rcx), %%r12\n"
		     "mov	11*8(%%rcx), %%r13\n"
		     "mov	12*8(%%rcx), %%r14\n"
		     "mov	$0xeeeeeeeeeeeeeeee, %%r15\n"
		     "popf\n"
		     "movl	$1, %[spinning]\n"
		     /* Neither mov nor jrcxz change flags. */
		     "1: mov	%[stop], %%ecx\n"
		     "jrcxz	1b\n"
		     "lea	%[regs], %%rcx\n"
		     "mov	%%rax, (%%rcx)\n"
		     "mov	%%rbx, 1*8(%%rcx)\n"
		     "mov	%%rdx, 2*8(%%rcx)\n"
		     "mov	%%rsi, 3*8(%%rcx)\n"
		     "mov	%%rdi, 4*8(%%rcx)\n"
		     "mov	%%rbp, 5*8(%%rcx)\n"
		     "mov	%%r8, 6*8(%%rcx)\n"
		     "mov	%%r9, 7*8(%%rcx)\n"
		     "mov	%%r10, 8*8(%%rcx)\n"
		     "mov	%%r11, 9*8(%%rcx)\n"
		     "mov	%%r12, 10*8(%%rcx)\n"
		     "mov	%%r13, 11*8(%%rcx)\n"
		     "mov	%%r14, 12*8(%%rcx)\n"
		     "mov	%%r15, 14*8(%%rcx)\n"
		     "pushf\n"
		     "pop	13*8(%%rcx)\n"
		     "cld\n"
		     "pop	%%rbp\n"
		     : [spinning] "=m" (spinning), [regs] "=m" (regs)
		     : [want] "r" (want), [stop] "m" (stop), "m" (want)
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
		       "r12", "r13", "r14", "r15", "memory", "cc");
	for (i = 0; i < 13; i++)
		if (regs[i] != want[i])
			fail("register %zu is %#llx", i, (unsigned long long)regs[i]);
	check_eq(want[13] & 0xcd5, regs[13] & 0xcd5);
	check_eq(0xeeeeeeeeeeeeeeeeULL, regs[14]);
	return NULL;
}

static void general(int argc, char **argv)
{
	run_spinner(spin_general, 2);
}

static uint8_t vectors[16 * 64] __attribute__((aligned(64)));
static uint8_t vectors_after[16 * 64] __attribute__((aligned(64)));

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) \
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

#define SPIN						\
	"movl	$1, %[spinning]\n"			\
	"1: mov	%[stop], %%ecx\n"			\
	"jrcxz	1b\n"

#define LOAD_XMM(n)	"movaps	16*" #n "(%[in]), %%xmm" #n "\n"
#define SAVE_XMM(n)	"movaps	%%xmm" #n ", 16*" #n "(%[out])\n"
#define LOAD_YMM(n)	"vmovaps	32*" #n "(%[in]), %%ymm" #n "\n"
#define SAVE_YMM(n)	"vmovaps	%%ymm" #n ", 32*" #n "(%[out])\n"

#define XMM_CLOBBER "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",	\
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

static void *spin_sse(void *arg)
{
	fill_memory(vectors, 16 * 16, 1);
	asm volatile(EACH(LOAD_XMM) SPIN EACH(SAVE_XMM)
		     : [spinning] "=m" (spinning)
		     : [stop] "m" (stop), [in] "r" (vectors), [out] "r" (vectors_after)
		     : "rcx", "memory", XMM_CLOBBER);
	check_eq(0, memcmp(vectors, vectors_after, 16 * 16));
	return NULL;
}

static void sse(int argc, char **argv)
{
	run_spinner(spin_sse, 2);
}

static void *spin_avx(void *arg)
{
	fill_memory(vectors, 16 * 32, 2);
	asm volatile(EACH(LOAD_YMM) SPIN EACH(SAVE_YMM) "vzeroupper\n"
		     : [spinning] "=m" (spinning)
		     : [stop] "m" (stop), [in] "r" (vectors), [out] "r" (vectors_after)
		     : "rcx", "memory", XMM_CLOBBER);
	check_eq(0, memcmp(vectors, vectors_after, 16 * 32));
	return NULL;
}

static void avx(int argc, char **argv)
{
	if (!__builtin_cpu_supports("avx")) {
		tell("SKIP no AVX");
		return;
	}
	run_spinner(spin_avx, 2);
}

#define LOAD_ZMM(n)	"vmovaps	64*" #n "(%[in]), %%zmm" #n "\n"
#define SAVE_ZMM(n)	"vmovaps	%%zmm" #n ", 64*" #n "(%[out])\n"

__attribute__((target("avx512f"))) static void *spin_avx512(void *arg)
{
	uint64_t mask = 0;

	fill_memory(vectors, 16 * 64, 3);
	asm volatile(EACH(LOAD_ZMM)
		     "mov	$0x5a5a, %%ecx\n"
		     "kmovw	%%ecx, %%k3\n"
		     SPIN EACH(SAVE_ZMM)
		     "kmovw	%%k3, %k[mask]\n"
		     "vzeroupper\n"
		     : [spinning] "=m" (spinning), [mask] "=&r" (mask)
		     : [stop] "m" (stop), [in] "r" (vectors), [out] "r" (vectors_after)
		     : "rcx", "memory", XMM_CLOBBER);
	check_eq(0, memcmp(vectors, vectors_after, 16 * 64));
	check_eq(0x5a5a, mask);
	return NULL;
}

static void avx512(int argc, char **argv)
{
	if (!__builtin_cpu_supports("avx512f")) {
		tell("SKIP no AVX-512");
		return;
	}
	run_spinner(spin_avx512, 1);
}

/* Eight values on the x87 stack, both control words not the usual ones. */
static void *spin_x87(void *arg)
{
	long double out[8];
	uint16_t cw = 0x0e7f, cw_after = 0;
	uint32_t mxcsr = 0x1f80 | 0x6000 | 0x8000, mxcsr_after = 0;
	int i;

	asm volatile("fninit\n"
		     "fldcw	%[cw]\n"
		     "ldmxcsr	%[mxcsr]\n"
		     "fldpi; fldl2e; fldl2t; fldln2; fldlg2; fld1; fldz; fldpi\n"
		     SPIN
		     "fnstcw	%[cw_after]\n"
		     "stmxcsr	%[mxcsr_after]\n"
		     "fstpt	0*16(%[out]); fstpt 1*16(%[out]); fstpt 2*16(%[out])\n"
		     "fstpt	3*16(%[out]); fstpt 4*16(%[out]); fstpt 5*16(%[out])\n"
		     "fstpt	6*16(%[out]); fstpt 7*16(%[out])\n"
		     "fninit\n"
		     : [spinning] "=m" (spinning), [cw_after] "=m" (cw_after),
		       [mxcsr_after] "=m" (mxcsr_after)
		     : [stop] "m" (stop), [cw] "m" (cw), [mxcsr] "m" (mxcsr), [out] "r" (out)
		     : "rcx", "memory");
	check_eq(cw, cw_after);
	check_eq(mxcsr, mxcsr_after);
	mxcsr = 0x1f80;
	asm volatile("ldmxcsr %0" :: "m" (mxcsr));
	check(out[1] == 0.0L && out[2] == 1.0L);
	check(out[0] == out[7]);
	for (i = 0; i < 8; i++)
		if (!(out[i] >= 0.0L && out[i] < 4.0L))
			fail("x87 register %d", i);
	check(out[0] > 3.14159265358979323L && out[0] < 3.14159265358979324L);
	check(out[3] > 0.30102999566398119L && out[3] < 0.30102999566398120L);
	check(out[6] > 1.44269504088896340L && out[6] < 1.44269504088896341L);
	return NULL;
}

static void x87(int argc, char **argv)
{
	run_spinner(spin_x87, 2);
}

/* Registers that a system call leaves alone, over a blocked one. */
static void blocked(int argc, char **argv)
{
	uint64_t after[3];
	char c = 0;
	long ret;

	fill_memory(vectors, 16 * 16, 4);
	ready();
	asm volatile(EACH(LOAD_XMM)
		     "mov	$0x12121212, %%r12\n"
		     "mov	$0x08080808, %%r8\n"
		     "mov	$0x09090909, %%r9\n"
		     "syscall\n"
		     "mov	%%r12, %[after]\n"
		     "mov	%%r8, 8+%[after]\n"
		     "mov	%%r9, 16+%[after]\n"
		     EACH(SAVE_XMM)
		     : "=a" (ret), [after] "=m" (after)
		     : "a" (SYS_read), "D" (0), "S" (&c), "d" (1), [in] "r" (vectors),
		       [out] "r" (vectors_after)
		     : "rcx", "r8", "r9", "r11", "r12", "memory", XMM_CLOBBER);
	check_eq(1, ret);
	check_eq('g', c);
	check_eq(0x12121212, after[0]);
	check_eq(0x08080808, after[1]);
	check_eq(0x09090909, after[2]);
	check_eq(0, memcmp(vectors, vectors_after, 16 * 16));
}

static uint64_t gs_words[4] = { 0x1234, 0x5678 };

static uint64_t read_gs(void)
{
	uint64_t value;

	asm volatile("mov %%gs:8, %0" : "=r" (value));
	return value;
}

/* gs: a base address in the second segment register, per thread. */
static void gs(int argc, char **argv)
{
	unsigned long fs = 0, base = 0;
	uint16_t selectors[4];

	need(!syscall(SYS_arch_prctl, ARCH_SET_GS, gs_words));
	need(!syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	check_eq(0x5678, read_gs());
	stage();
	check_eq(0x5678, read_gs());
	check_eq(0, syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	check_eq((long)gs_words, base);
	check_eq(0, syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	check_eq(fs, base);
	check_eq((long)__builtin_thread_pointer(), base);
	asm volatile("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2; mov %%es, %3"
		     : "=m" (selectors[0]), "=m" (selectors[1]), "=m" (selectors[2]),
		       "=m" (selectors[3]));
	check_eq(0x33, selectors[0]);
	check_eq(0x2b, selectors[1]);
	check_eq(0, selectors[2]);
	check_eq(0, selectors[3]);
}

/* selectors: data segments of a process need not be the usual ones. */
static void selectors(int argc, char **argv)
{
	uint16_t ds = 0x2b, es = 0x2b;

	asm volatile("mov %0, %%ds; mov %1, %%es" :: "m" (ds), "m" (es));
	stage();
	asm volatile("mov %%ds, %0; mov %%es, %1" : "=m" (ds), "=m" (es));
	check_eq(0x2b, ds);
	check_eq(0x2b, es);
	ds = 0;
	asm volatile("mov %0, %%ds; mov %0, %%es" :: "m" (ds));
}

/* unused: a process that has never touched the extended state. */
static void xcr0(int argc, char **argv)
{
	uint32_t eax, ebx, ecx, edx, low, high, low_after, high_after;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1 << 27))) {
		tell("SKIP no XSAVE");
		return;
	}
	asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	stage();
	asm volatile("xgetbv" : "=a" (low_after), "=d" (high_after) : "c" (0));
	check_eq(low, low_after);
	check_eq(high, high_after);
}

const struct mode cpu_modes[] = {
	{ "general", general },
	{ "sse", sse },
	{ "avx", avx },
	{ "avx512", avx512 },
	{ "x87", x87 },
	{ "blocked", blocked },
	{ "gs", gs },
	{ "selectors", selectors },
	{ "xcr0", xcr0 },
	{}
};
