/** The exit codes of the program, those of sysexits.h where a supervisor reads them. */

/** Exit codes. A supervisor does not restart what is configured or called wrongly. */
export const exitCode = {
	ok: 0,
	/** The command found what it was to find out: a refusal, a difference, nothing. */
	failed: 1,
	/** Wrong usage of a command that people call. */
	wrongUsage: 2,
	/** Wrong usage of the program, or of what supervisors call. */
	usage: 64,
	unavailable: 69,
	config: 78,
} as const
