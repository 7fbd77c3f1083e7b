import { expect, test } from 'vitest'
import { clientIpOf } from '../../../src/platform/http/client-ip.ts'

const whole = (address: string) => ({ network: address, address })

test('each IPv4 address is one client, and all requests without an address are one client', () => {
  expect(clientIpOf('198.51.100.1')).toEqual(whole('198.51.100.1'))
  expect(clientIpOf(undefined)).toEqual(whole('unknown'))
})

test.each(['::ffff:192.0.2.129', '::FFFF:192.0.2.129', '0:0:0:0:0:ffff:c000:281', '::ffff:c000:0281'])(
  'the IPv4-mapped address %s is the client of its IPv4 address',
  (mapped) => expect(clientIpOf(mapped)).toEqual(whole('192.0.2.129')),
)

test.each([
  ['2001:db8::1', '2001:db8:0', '2001:db8:0:0'],
  ['2001:db8:0:0:ffff::', '2001:db8:0', '2001:db8:0:0'],
  ['2001:0DB8:0000:0001:a:b:c:d', '2001:db8:0', '2001:db8:0:1'],
  ['2001:db8:a:1::192.0.2.1', '2001:db8:a', '2001:db8:a:1'],
  ['::1', '0:0:0', '0:0:0:0'],
  ['::', '0:0:0', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0', 'fe80:0:0:0'],
])('%s belongs to the /48 %s and to the /64 %s', (text, network, address) => {
  expect(clientIpOf(text)).toEqual({ network, address })
})
