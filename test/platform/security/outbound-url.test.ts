import { expect, test } from 'vitest'
import { outboundUrl } from '../../../src/platform/security/outbound-url.ts'
import { allowed, forbidden } from '../../support/addresses.ts'
import { contextWith } from '../../support/platform.ts'

const { config } = contextWith({ BASE_URL: 'https://social.example.net' })

test.each(Object.entries(forbidden))('no address that is %s passes', (_, addresses) => {
  const passed = addresses.filter((address) => {
    try {
      return outboundUrl(config, address)
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid' })
      return false
    }
  })
  expect(passed).toEqual([])
})

test('the corpus of forbidden addresses is worth its name', () => {
  expect(new Set(Object.values(forbidden).flat()).size).toBeGreaterThanOrEqual(100)
})

test('public https names pass, and fragments stay with us', () => {
  for (const address of allowed) expect(outboundUrl(config, address).protocol).toBe('https:')
  expect(outboundUrl(config, 'https://example.org/a#secret').href).toBe('https://example.org/a')
})

test('a host on this machine passes only when development names it, with its port', () => {
  const local = { ...config, OUTBOUND_LOCAL_HOSTS: ['127.0.0.1:9000'] }
  expect(outboundUrl(local, 'http://127.0.0.1:9000/hook').port).toBe('9000')
  for (const other of [
    'http://127.0.0.1:9001/',
    'http://localhost:9000/',
    'http://127.0.0.1/',
    'ftp://127.0.0.1:9000/',
  ]) {
    expect(() => outboundUrl(local, other)).toThrow()
    expect(() => outboundUrl(config, other)).toThrow()
  }
  expect(() => outboundUrl(local, 'http://a:b@127.0.0.1:9000/')).toThrow()
  expect(() => outboundUrl(config, 'http://127.0.0.1:9000/hook')).toThrow()
})
