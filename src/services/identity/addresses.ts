const AT = /[@＠﹫]/
const LOCAL = /^[^\s@<>"(),:;[\]\\\p{Cc}]{1,64}$/u
/** Letters, digits and hyphens in labels of at most 63, and a last label that is no number (RFC 1123, RFC 3696). */
const DOMAIN = /^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+(?=\d*[a-z-])[a-z\d][a-z\d-]{0,61}[a-z\d]$/
/** The forms of characters that East Asian keyboards type. */
const WIDE_OR_SMALL = /[\ufe50-\ufe6f\uff00-\uffef]/g
/** Whatever ends the host of a URL, or is decoded or deleted in it. */
const NOT_IN_HOST = /[\s%/?#:@[\]\\\p{Cc}]/u
const MAX_LENGTH = 254

export const isTypedAddress = (text: string) => AT.test(text)

/**
 * The one form of an address, however it is typed, with the domain in ASCII as servers exchange it (RFC 5891, UTS 46). An
 * invalid address stays invalid.
 */
export function canonicalAddress(typed: string): string {
  const text = typed
    .trim()
    .replace(WIDE_OR_SMALL, (found) => found.normalize('NFKC'))
    .toLowerCase()
    .normalize('NFC')
  const at = text.lastIndexOf('@')
  return at < 0 ? text : `${text.slice(0, at)}@${asciiDomain(text.slice(at + 1))}`
}

export function hasValidLocalPart(canonical: string): boolean {
  const at = canonical.lastIndexOf('@')
  return canonical.length <= MAX_LENGTH && LOCAL.test(canonical.slice(0, Math.max(at, 0)))
}

export function hasValidDomain(canonical: string): boolean {
  return DOMAIN.test(canonical.slice(canonical.lastIndexOf('@') + 1))
}

/** Relies on the URL parser, which converts hosts by UTS 46. */
function asciiDomain(domain: string): string {
  const url = `https://${domain}/`
  return NOT_IN_HOST.test(domain) || !URL.canParse(url) ? '' : new URL(url).hostname
}
