/**
 * Vitest's reporter for `.ci/run`: each file as it ends, each failure with its reason, all failures in short, then the three
 * counts.
 */
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, TestSuite } from 'vitest/node'

/** Lines that one error may take, and characters, because a counterexample can be a page long. */
const [maxLines, maxChars] = [30, 6000]

export default class CiReporter implements Reporter {
	onTestModuleEnd(module: TestModule): void {
		console.log(`${module.relativeModuleId}: ${module.state()}, ${Math.round(module.diagnostic().duration)} ms`)
	}

	/** Counts each failed test, and each file, group or run with an error of its own. A run without a test fails. */
	onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
		const tests = modules.flatMap(({ children }) => [...children.allTests()])
		const groups = [...modules, ...modules.flatMap(({ children }) => [...children.allSuites()])]
		const failed = [
			...groups.filter((group) => group.errors().length > 0).map((group) => describe(group, group.errors())),
			...tests.filter(isIn('failed')).map((test) => describe(test, test.result().errors ?? [])),
			...errors.map(inWords),
		]
		const passed = tests.filter(isIn('passed')).length
		const isEmpty = passed === 0 || reason === 'interrupted'
		if (failed.length === 0 && isEmpty) failed.push(`No test ran to its end: the run is ${reason}.`)
		for (const each of failed) console.log(`\n${each}`)
		if (failed.length > 0) console.log('\nfailed:')
		for (const each of failed) console.log(`  ${inShort(each)}`)
		console.log(`\n${passed} passed, ${failed.length} failed, ${tests.filter(isIn('skipped')).length} skipped`)
	}
}

function isIn(state: 'passed' | 'failed' | 'skipped') {
	return (test: TestCase) => test.result().state === state
}

function describe(task: TestModule | TestSuite | TestCase, errors: readonly SerializedError[]): string {
	const file = task.type === 'module' ? task.relativeModuleId : `${task.module.relativeModuleId}: ${task.fullName}`
	return [file, ...errors.map(inWords)].join('\n')
}

/** The name of a failure and the first line of its reason. */
function inShort(described: string): string {
	return described
		.split('\n', 2)
		.map((line) => line.trim())
		.join(': ')
}

function inWords({ name, message, stacks = [], diff }: SerializedError): string {
	const at = stacks.map(({ file, line, column }) => `at ${file}:${line}:${column}`)
	const text = [`${name}: ${message}`, ...at, ...(typeof diff === 'string' ? [diff] : [])].join('\n')
	const lines = stripVTControlCharacters(text).slice(0, maxChars).split('\n')
	return lines
		.slice(0, maxLines)
		.map((line) => `    ${line}`)
		.join('\n')
}
