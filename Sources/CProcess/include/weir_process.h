// What concerns the whole process, for executables only.
#pragma once

/// From now on, an allocation that fails ends the process with one line on standard error and code 1. The Swift runtime would trap.
void weir_exit_when_out_of_memory(void);
