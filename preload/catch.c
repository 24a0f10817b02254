/* SPDX-License-Identifier: MIT */
/*
 * The two halves of catch (...) for call_catching(): the personality routine
 * that tells the unwinder to stop there, and the end of the exception.
 *
 * Both are called only when something has been thrown, so the unwinder and the
 * C++ library are there by then, if perhaps not among our own symbols.
 */
#include <unwind.h>

#include "preload.h"

__attribute__((weak)) void *__cxa_begin_catch(void *exception);
__attribute__((weak)) void __cxa_end_catch(void);
extern __typeof__(_Unwind_SetGR) _Unwind_SetGR __attribute__((weak));
extern __typeof__(_Unwind_SetIP) _Unwind_SetIP __attribute__((weak));

HIDDEN _Unwind_Reason_Code catch_personality(
	int version, _Unwind_Action actions, _Unwind_Exception_Class type,
	struct _Unwind_Exception *exception, struct _Unwind_Context *context);
HIDDEN void catch_drop(void *exception);
extern HIDDEN char call_catching_landing[];

/*
 * Stop every exception; let pthread_cancel() and pthread_exit() pass, which
 * nobody may stop.
 */
_Unwind_Reason_Code catch_personality(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class type,
				      struct _Unwind_Exception *exception,
				      struct _Unwind_Context *context)
{
	void (*set_register)(struct _Unwind_Context *, int, _Unwind_Word) =
		runtime_function(_Unwind_SetGR, "_Unwind_SetGR");
	void (*set_ip)(struct _Unwind_Context *, _Unwind_Ptr) =
		runtime_function(_Unwind_SetIP, "_Unwind_SetIP");

	(void)version;
	(void)type;
	if (actions & _UA_FORCE_UNWIND || !set_register || !set_ip)
		return _URC_CONTINUE_UNWIND;
	if (actions & _UA_SEARCH_PHASE)
		return _URC_HANDLER_FOUND;
	set_register(context, __builtin_eh_return_data_regno(0),
		     (_Unwind_Word)exception);
	set_ip(context, (_Unwind_Ptr)call_catching_landing);
	return _URC_INSTALL_CONTEXT;
}

void catch_drop(void *exception)
{
	void *(*begin)(void *) =
		runtime_function(__cxa_begin_catch, "__cxa_begin_catch");
	void (*end)(void) =
		runtime_function(__cxa_end_catch, "__cxa_end_catch");

	if (!begin || !end)
		return;
	begin(exception);
	end();
}
