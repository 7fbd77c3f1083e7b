import { expect, test } from 'vitest'
import { outboundUrl } from '../../../src/platform/security/outbound-url.ts'
import { allowedUrls, forbiddenUrls } from '../../support/outbound-urls.ts'
import { contextWith } from '../../support/platform.ts'

const { config } = contextWith({ BASE_URL: 'https://social.example.net' })

test.each(Object.entries(forbiddenUrls))('forbidden URLs are refused: %s', (_, urls) => {
  const accepted = urls.filter((url) => {
    try {
      return outboundUrl(config, url)
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid' })
      return false
    }
  })
  expect(accepted).toEqual([])
})

test('forbiddenUrls lists at least 200 URLs', () => {
  expect(new Set(Object.values(forbiddenUrls).flat()).size).toBeGreaterThanOrEqual(200)
})

test('https URLs with a public domain name are accepted, and their fragments are removed', () => {
  for (const url of allowedUrls) expect(outboundUrl(config, url).protocol).toBe('https:')
  expect(outboundUrl(config, 'https://example.org/a#secret').href).toBe('https://example.org/a')
})

test('a local host is accepted only when the configuration names it with its port', () => {
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
