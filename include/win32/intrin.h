/* What programs use of the compiler's own functions. */
#ifndef PORTABLE_WINHTTP_INTRIN_H
#define PORTABLE_WINHTTP_INTRIN_H

#define __debugbreak() __builtin_trap()
#define __noop(...) ((void)0)
#define _ReadWriteBarrier() __asm__ __volatile__("" ::: "memory")
#define _ReturnAddress() __builtin_return_address(0)

#endif
