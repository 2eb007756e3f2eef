/* SPDX-License-Identifier: MIT */
/*
 * As much of hyperlight_guest_capi's header, hyperlight_guest.h, as the guest
 * of examples/hyperlight/ uses. That crate is on no registry; src/main.rs has
 * its functions.
 */
#ifndef HYPERLIGHT_GUEST_H
#define HYPERLIGHT_GUEST_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
	hl_ParameterType_ULong = 3,
	hl_ParameterType_String = 6,
	hl_ParameterType_VecBytes = 8,
} hl_ParameterType;

typedef enum {
	hl_ReturnType_Int,
} hl_ReturnType;

typedef struct {
	uint8_t *data;
	uintptr_t len;
} hl_Vec;

typedef struct {
	hl_ParameterType tag;
	union {
		uint64_t ULong;
		char *String;
		hl_Vec VecBytes;
	} value;
} hl_Parameter;

typedef struct {
	const char *function_name;
	const hl_Parameter *parameters;
	uintptr_t parameters_len;
	hl_ReturnType return_type;
} hl_FunctionCall;

typedef hl_Vec *(*hl_CGuestFunc)(const hl_FunctionCall *call);

void hl_register_function_definition(const char *function_name,
                                     hl_CGuestFunc function,
                                     uintptr_t parameters,
                                     const hl_ParameterType *types,
                                     hl_ReturnType return_type);
void hl_call_host_function(const hl_FunctionCall *call);
int32_t hl_get_host_return_value_as_Int(void);
hl_Vec *hl_flatbuffer_result_from_Int(int32_t value);

#define HYPERLIGHT_WRAP_FUNCTION(function, returned, count, type)    \
	static hl_Vec *_call_##function(const hl_FunctionCall *call) \
	{                                                            \
		return hl_flatbuffer_result_from_##returned(         \
			function(call->parameters[0].value.type));   \
	}                                                            \
	static const hl_ParameterType _types_##function[] = {        \
		hl_ParameterType_##type};

#define HYPERLIGHT_REGISTER_FUNCTION(name, function)               \
	hl_register_function_definition(name, _call_##function, 1, \
	                                _types_##function, hl_ReturnType_Int)

#endif
