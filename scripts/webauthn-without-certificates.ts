// Replaces the ASN.1 packages of `@simplewebauthn/server` in the bundle (aliases in wrangler.toml). Passkeys are registered
// without attestation, so the only ASN.1 that remains is the pair of integers in an ECDSA signature (RFC 3279, 2.2.3).
// Statements with certificates are refused.

class Omitted {
  constructor() {
    throw new Error('certificates of authenticators are not supported')
  }
}

export class ECDSASigValue {
  r: Uint8Array
  s: Uint8Array

  /** `der` is a sequence of two integers, in the short form of lengths: signatures of P-256 and P-384 fit it. */
  constructor(der: Uint8Array) {
    const [r, rest] = integer(element(der, 0x30, true).content)
    const [s, end] = integer(rest)
    if (end.length > 0) throw new Error('the signature is longer than its two integers')
    this.r = r
    this.s = s
  }
}

function integer(der: Uint8Array): [value: Uint8Array, rest: Uint8Array] {
  const { content, rest } = element(der, 0x02, false)
  if (content.length === 0) throw new Error('the signature has an empty integer')
  return [content, rest]
}

function element(der: Uint8Array, tag: number, isLast: boolean): { content: Uint8Array; rest: Uint8Array } {
  const [found, length = 128] = der
  const end = 2 + length
  const isWhole = found === tag && length < 128 && (isLast ? end === der.length : end <= der.length)
  if (!isWhole) throw new Error('the signature is not in DER')
  return { content: der.subarray(2, end), rest: der.subarray(end) }
}

export const AsnParser = {
  parse(der: Uint8Array, type: unknown): ECDSASigValue {
    return type === ECDSASigValue ? new ECDSASigValue(new Uint8Array(der)) : (new Omitted() as never)
  },
}

export {
  Omitted as AuthorityKeyIdentifierExtension,
  Omitted as BasicConstraints,
  Omitted as CRLDistributionPointsExtension,
  Omitted as Certificate,
  Omitted as ECParameters,
  Omitted as ExtendedKeyUsage,
  Omitted as KeyDescription,
  Omitted as OctetString,
  Omitted as RSAPublicKey,
  Omitted as SubjectAlternativeName,
  Omitted as SubjectKeyIdentifierExtension,
  Omitted as X509Certificate,
  Omitted as X509ChainBuilder,
  Omitted as X509Crl,
}

/** The identifiers of extensions and algorithms of certificates, which are never compared. */
const omitted = 'omitted'

export {
  omitted as id_ce_basicConstraints,
  omitted as id_ce_extKeyUsage,
  omitted as id_ce_keyDescription,
  omitted as id_ce_subjectAltName,
  omitted as id_ecdsaWithSHA256,
  omitted as id_ecdsaWithSHA384,
  omitted as id_ecdsaWithSHA512,
  omitted as id_ecPublicKey,
  omitted as id_ml_dsa_44,
  omitted as id_ml_dsa_65,
  omitted as id_ml_dsa_87,
  omitted as id_rsaEncryption,
  omitted as id_secp256r1,
  omitted as id_secp384r1,
  omitted as id_sha1WithRSAEncryption,
  omitted as id_sha256WithRSAEncryption,
  omitted as id_sha384WithRSAEncryption,
  omitted as id_sha512WithRSAEncryption,
}
