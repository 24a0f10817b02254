/* SPDX-License-Identifier: MIT */
/* A library that is found by the RUNPATH of module.c alone. */
int leaf(void);

int leaf(void)
{
	return 1;
}
