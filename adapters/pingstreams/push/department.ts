/** Departments: replies name them, and the API wants their ids. */
import * as v from 'valibot'
import { Id, type PushCall, readJson, validate, type WireResponse } from '../../../src/format/index.ts'

/** Without the department's bot: the conversation is to reach people. */
export function toDepartment(departmentid: string | undefined): object {
	return { departmentid, nobot: true }
}

const Departments = v.array(v.object({ _id: Id, name: v.nullish(v.string()) }))

/**
 * The call with the id of its department, found by its name, in any case, in the list that the API answered. Undefined:
 * there is no such department. Throws a GatewayError if the answer is no such list.
 */
export function withDepartment({ lookup, ...call }: PushCall, { body }: WireResponse): PushCall | undefined {
	if (!lookup) return call
	const departments = validate(Departments, readJson(body)).wire
	const wanted = lookup.name.toLowerCase()
	const found =
		departments.find(({ name }) => name === lookup.name) ??
		departments.find(({ name }) => name?.toLowerCase() === wanted)
	return found && { ...call, body: JSON.stringify(toDepartment(found._id)) }
}
