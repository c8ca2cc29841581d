/** Holds docs/canonical-model.md to the schemas: each field has its row, and no row tells of a field that is gone. */
import { readFileSync } from 'node:fs'
import type * as v from 'valibot'
import { expect, test } from 'vitest'
import { Button, CanonicalEvent, CanonicalReply, Card, Choice, Message, Turn } from '../src/model/index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

/** What the walk needs to see of valibot's schemas, which are plain data. */
interface Parts {
	readonly type: string
	readonly wrapped?: v.GenericSchema
	readonly item?: v.GenericSchema
	readonly entries?: { readonly [key: string]: v.GenericSchema }
	readonly options?: readonly v.GenericSchema[]
	readonly literal?: unknown
}

/** Schemas that have a section of their own. */
const sections: readonly v.GenericSchema[] = [Message, Choice, Card, Button]

function fieldsOf(schema: v.GenericSchema, path = ''): string[] {
	const parts: Parts = schema
	if (path !== '' && sections.includes(schema)) return []
	if (parts.wrapped) return fieldsOf(parts.wrapped, path)
	if (parts.item) return fieldsOf(parts.item, `${path}[]`)
	return Object.entries(parts.entries ?? {}).flatMap(([key, entry]) => {
		const here = path === '' ? key : `${path}.${key}`
		return [here, ...fieldsOf(entry, here)]
	})
}

/** The fields of each option of a variant by its type, and those that all of them have. */
function fieldsByType(variant: { readonly options: readonly v.GenericSchema[] }): { common: string[]; own: Fields } {
	const options = variant.options.map((option) => {
		const type: Parts | undefined = (option as Parts).entries?.type
		return [String(type?.literal), fieldsOf(option)] as const
	})
	const common = (options[0]?.[1] ?? []).filter((field) => options.every(([, fields]) => fields.includes(field)))
	return {
		common,
		own: Object.fromEntries(options.map(([type, fields]) => [type, fields.filter((field) => !common.includes(field))])),
	}
}

interface Fields {
	readonly [section: string]: string[]
}

test('the schema of a turn has the members of its type', () => {
	const [, members = ''] = /export interface Turn \{\n(.*?)\n\}/s.exec(read('../src/model/turn.ts')) ?? []
	const names = [...members.matchAll(/^\treadonly (\w+)/gm)].map(([, name = '']) => name)
	const { entries = {} }: Parts = Turn
	expect(Object.keys(entries)).toEqual(names)
})

/** The first cells of the tables by section; a section is each word in code style of the heading above. */
function documented(): Fields {
	const fields: { [section: string]: string[] } = {}
	let open: string[] = []
	for (const line of read('../docs/canonical-model.md').split('\n')) {
		if (line.startsWith('#')) open = [...line.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
		const [, field] = /^\| `([^`]+)` \|/.exec(line) ?? []
		for (const section of field === undefined ? [] : open) fields[section] = [...(fields[section] ?? []), field ?? '']
	}
	return fields
}

test('docs/canonical-model.md has a row for every field of the model, and for nothing else', () => {
	const messages = fieldsByType(Message)
	const buttons = fieldsByType(Button)
	const fields: Fields = {
		CanonicalEvent: fieldsOf(CanonicalEvent),
		Turn: fieldsOf(Turn),
		CanonicalReply: fieldsOf(CanonicalReply),
		Message: messages.common,
		...messages.own,
		Choice: [...new Set(Choice.options.flatMap((option) => fieldsOf(option)))],
		Card: fieldsOf(Card),
		Button: buttons.common,
		...buttons.own,
	}
	expect(sorted(documented())).toEqual(sorted(fields))
})

function sorted(fields: Fields): Fields {
	return Object.fromEntries(Object.entries(fields).map(([section, names]) => [section, names.toSorted()]))
}
