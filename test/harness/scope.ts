/** What a test or a row of the table of faults starts ends with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A test, or a row of the table. */
export interface Scope {
	/** Registers what is to be ended with it; the last that was registered ends first. */
	after(end: () => unknown): void
}

/** An empty folder, deleted with the scope. */
export function folder(scope: Scope): string {
	const path = mkdtempSync(join(tmpdir(), 'dragoman-test-'))
	scope.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}
