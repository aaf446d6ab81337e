/** Which IP addresses may be connected to: by default public ones only, since names may resolve to anything (THREATS T7). */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Never, whatever the settings: link-local addresses and those where clouds hand out credentials. */
const METADATA = blockList(
  [
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
    ['192.0.0.192', 32],
    ['224.0.0.0', 3],
  ],
  [
    ['::', 128],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
    ['fe80::', 10],
    ['fd00:ec2::', 32],
    ['fd20:ce::', 32],
    ['ff00::', 8],
  ],
);

/** IANA's special-purpose IPv4 addresses, and the IPv6 ones among the global unicast addresses. */
const SPECIAL = blockList(
  [
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
  ],
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['2620:4f:8000::', 48],
    ['3fff::', 20],
  ],
);
const GLOBAL_UNICAST = blockList([], [['2000::', 3]]);

/**
 * True when a connection to the address may be made.
 * @param address as DNS or a URL gave it, without brackets; anything but an address is refused
 * @param allowPrivate private and loopback addresses too, for mirrors of one's own
 */
export function mayConnectTo(address: string, allowPrivate: boolean): boolean {
  if (isIPv4(address)) return !METADATA.check(address, 'ipv4') && (allowPrivate || !SPECIAL.check(address, 'ipv4'));
  if (!isIPv6(address) || address.includes('%') || METADATA.check(address, 'ipv6')) return false;
  return allowPrivate || (GLOBAL_UNICAST.check(address, 'ipv6') && !SPECIAL.check(address, 'ipv6'));
}

type Subnet = readonly [network: string, prefix: number];

function blockList(ipv4: readonly Subnet[], ipv6: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ipv4) list.addSubnet(network, prefix, 'ipv4');
  for (const [network, prefix] of ipv6) list.addSubnet(network, prefix, 'ipv6');
  return list;
}
