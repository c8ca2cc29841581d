/**
 * What the platform executes in a text, and what it fills in: regular expressions of where to break it.
 * Tiledesk/tiledesk-chatbot-util, index.js; Tiledesk/tiledesk-chatbot, tiledeskChatbotPlugs/Filler.js.
 */
import type { Dialect } from './dialect.ts'

/** Matches a variable: `${name}`, `{{ name }}`, `{% if %}`. They are filled twice, the bot's token included. */
export const variable = /\$(?=\{)|\{(?=[{%])/u

/** The same as a limit has it. */
export const variables = variable.source

// `\agent`, `\close`, `\_tdName`, `\image:`, `\webhook`: some of them anywhere, so all of them everywhere.
const commands = String.raw`\\(?=\w)`
// `* Label` is a button, also at the end of a text that another follows; `tdImage:`, `tdFrame,w9 h9:`, `tdVideo:` a picture
// or a page. Each at the start of a line, and behind blanks at the start of the text, which is trimmed first. Their letters
// stand before the look back, so that a search passes over all other letters at once.
const start = String.raw`^|(?<![^])\s*`
const lines = String.raw`\*(?<=(?:${start})\*)(?!\S)|td(?<=(?:${start})td)(?=(?:Image|Frame|Video).*:http)`
// A blank line parts a text into messages, in the current engine only. `\r\n` is one too: `^` matches within it.
const blankLines = String.raw`^(?=[\r\n])`

/** All that is executed in texts. */
export function markupOf(dialect: Dialect): string {
	return [variables, commands, lines, ...(dialect === 'server' ? [] : [blankLines])].join('|')
}

/** The name of a project's label, `${NAME}`: the server puts the label in place of a text that holds one. */
export const labelName = String.raw`\$(?=\{)`

/**
 * All that the server executes in the text of any message, however it came: a label's name, and a command at the end.
 * Tiledesk/tiledesk-server, pubmodules/messageTransformer and messageActions.
 */
export const serverMarkup = String.raw`${labelName}|\\(?=agent|close)`

/** Where a static reply would not be read back as it was written: at blank lines, which part it, and at its webhook line. */
export const staticMarkup = String.raw`^(?=[\r\n])|(?<=\n)(?![^])|^\\(?=webhook)`

/** Text in which nothing is filled in: that of a URL, in which nothing can be broken. */
export const unfilled = String.raw`^(?![^]*(?:\$\{|\{[{%]))`

/** Text of which the platform shows anything at all. */
export const visible = String.raw`\S`
