/** The few words that fit itself puts before a user. They are of no language. */
export const phrases = {
	/** Where a format wants words and the author gave none. */
	noWords: '…',
	/** Where words were cut. */
	cut: '…',
	/** A choice that is shown as a line of text. */
	numbered: (number: number, title: string) => `${number}. ${title}`,
	/** Behind a label that another one has, too. */
	again: (number: number) => ` (${number})`,
	/** A label that others have too, with what it belongs to. */
	belonging: (label: string, owner: string) => `${label}: ${owner}`,
	/** A label that was cut, in the text before its button. */
	inFull: (title: string) => `– ${title}`,
	/** An address or a number that is shown as text. */
	labelled: (label: string, address: string) => `${label}: ${address}`,
}
