/** The judge of a trace knows a fault when it sees one. */
import { expect, test } from 'vitest'
import { judge } from './trace.ts'

const write = '7 pwrite64(30</tmp/o.db-wal>, "x", 1, 0) = 1'
const answer = '6 write(20<socket:[1]>, "HTTP/1.1 200 OK\\r\\n", 20) = 20'
const sync = '7 fsync(30</tmp/o.db-wal>) = 0'
const halves = ['7 fsync(30</tmp/o.db-wal> <unfinished ...>', '7 <... fsync resumed>) = 0']

test('an answer behind a write and its fsync is in order', () => {
	expect(judge([write, sync, answer, write, ...halves, answer].join('\n'))).toEqual({ answers: 2, early: 0 })
})

test('a later write, which is not of the event, does not matter', () => {
	expect(judge([write, sync, write, answer].join('\n'))).toEqual({ answers: 1, early: 0 })
})

test.each([
	['a write behind that of another event', [write, sync, answer, write, answer]],
	['a second answer', [write, sync, answer, answer]],
	['an fsync under way', [write, halves[0], answer, halves[1]]],
	['an fsync that failed', [write, sync.replace('= 0', '= -1 EIO'), answer]],
])('an answer is too early with %s', (_, lines) => {
	expect(judge(lines.join('\n')).early).toBe(1)
})
