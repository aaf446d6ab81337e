/** Which IP addresses may be connected to: by default public ones only, since names may resolve to anything (THREATS T7). */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

// One list per family: a list with both takes every IPv4 address for the IPv6 one it maps to.

/** Never, whatever the settings: link-local and multicast addresses, those where clouds hand out credentials, embedded IPv4. */
const NEVER_IPV4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['192.0.0.192', 32],
  ['224.0.0.0', 3],
]);
const NEVER_IPV6 = blockList('ipv6', [
  ['::', 128],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
  ['fe80::', 10],
  ['ff00::', 8],
]);

/** IANA's special-purpose addresses; for IPv6 those among the global unicast ones. */
const SPECIAL_IPV4 = blockList('ipv4', [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
]);
const SPECIAL_IPV6 = blockList('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
]);
const GLOBAL_UNICAST_IPV6 = blockList('ipv6', [['2000::', 3]]);

/**
 * True when a connection to the address may be made.
 * @param address as DNS or a URL gave it, without brackets; anything but an address is refused
 * @param allowPrivate private and loopback addresses too, for mirrors of one's own
 */
export function mayConnectTo(address: string, allowPrivate: boolean): boolean {
  if (isIPv4(address)) {
    return !NEVER_IPV4.check(address, 'ipv4') && (allowPrivate || !SPECIAL_IPV4.check(address, 'ipv4'));
  }
  if (!isIPv6(address) || address.includes('%') || NEVER_IPV6.check(address, 'ipv6')) return false;
  return allowPrivate || (GLOBAL_UNICAST_IPV6.check(address, 'ipv6') && !SPECIAL_IPV6.check(address, 'ipv6'));
}

function blockList(
  family: 'ipv4' | 'ipv6',
  subnets: readonly (readonly [network: string, prefix: number])[],
): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}
