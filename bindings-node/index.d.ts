// The types of the package leveret.

/** The version of the library, the same in every language. */
export const version: string
