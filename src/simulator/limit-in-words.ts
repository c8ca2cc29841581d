/** What a format carries of a feature, in words. */
import type { Limit, LimitName } from '../format/index.ts'

/** Reserved names that are listed; more would hide the rest. */
const maxListed = 5

/** Each limit in words; the empty string if another limit already covers it. */
const words: { readonly [L in LimitName]: (value: NonNullable<Limit[L]>, limit: Limit) => string } = {
	required: () => 'required',
	chars: (chars) => `${number(chars)} characters`,
	bytes: (bytes) => `${number(bytes)} bytes`,
	items: (items) => `${number(items)} items`,
	min: (min, { max }) => (max === undefined ? `${number(min)} or more` : `${number(min)} to ${number(max)}`),
	max: (max, { min }) => (min === undefined ? `${number(max)} or less` : ''),
	blanks: () => 'spaces encoded',
	values: (values) => values.map((value) => `\`${value}\``).join(', '),
	pattern: () => 'fixed pattern',
	notBlank: () => 'not blank',
	default: (value) => `default \`${value}\``,
	strings: () => 'strings only',
	reserved: (names) => {
		if (names.length > maxListed) return `not ${names.length} names of the platform's own`
		return names.length === 0 ? '' : `not ${names.map((name) => `\`${name}\``).join(', ')}`
	},
	foldedInto: (scope) => `moved to the ${scope}`,
	escape: () => 'markup escaped',
	withoutButtons: () => 'not beside buttons',
	apart: () => 'told apart',
	fromName: () => 'else the name',
	order: (groups) => `in the order ${groups.map((group) => group.join(' or ')).join(', ')}`,
	single: () => 'one set of choices, last',
}

/** The limits of a feature: `640 characters; not blank`. Without any: `yes`. Of what is not carried: nothing. */
export function limitInWords(limit: Limit | undefined): string {
	if (limit === undefined) return ''
	return limitNames.flatMap((name) => inWord(name, limit)).join('; ') || 'yes'
}

const limitNames = Object.keys(words) as LimitName[]

function inWord<L extends LimitName>(name: L, limit: Limit): string[] {
	const value = limit[name]
	const part = value === undefined || value === null ? '' : words[name](value, limit)
	return part === '' ? [] : [part]
}

const number = (value: number) => value.toLocaleString('en')
