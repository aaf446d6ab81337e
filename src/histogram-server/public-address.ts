/**
 * Which IP addresses may be connected to: by default public ones only, since names may resolve to anything
 * (docs/security.md T7).
 */
import { isIP } from 'node:net';
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

/** Never, whatever the settings: no mirror is there, and IPv4 inside IPv6 would bypass the rules of IPv4. */
const NEVER: ReadonlySet<string> = new Set([
  'unspecified',
  'broadcast',
  'linkLocal',
  'multicast',
  'ipv4Mapped',
  'rfc6052',
] satisfies (ReturnType<IPv4['range']> | ReturnType<IPv6['range']>)[]);

/** Never either: where clouds serve credentials outside the link-local range, and ranges reserved for the future. */
const NEVER_NETWORKS = [
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  '240.0.0.0/4',
  'fd00:ec2::/32',
  'fd20:ce::/32',
].map((network) => ipaddr.parseCIDR(network));

/** All that IANA gave out of IPv6; to ipaddr.js everything without a purpose of its own is `unicast`. */
const GLOBAL_UNICAST_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True when a connection to the address may be made.
 * @param address as DNS or a URL gave it, without brackets; anything but an address is refused
 * @param allowPrivate private and loopback addresses too, for mirrors of one's own
 */
export function mayConnectTo(address: string, allowPrivate: boolean): boolean {
  // Node decides what is an address: ipaddr.js also takes short, octal and hexadecimal forms.
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (NEVER.has(range) || NEVER_NETWORKS.some(([network, prefix]) => isIn(parsed, network, prefix))) return false;
  if (allowPrivate) return true;
  return range === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST_IPV6));
}

function isIn(address: IPv4 | IPv6, network: IPv4 | IPv6, prefix: number): boolean {
  return address.kind() === network.kind() && address.match(network, prefix);
}
