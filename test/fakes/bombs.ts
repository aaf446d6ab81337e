/**
 * 256 MiB of zeros as lzma-native packs them with preset 1, 38 KB each, in a few hundred bytes: packing them takes ten
 * seconds of a core, which every run of the tests would pay.
 */
import { brotliDecompressSync } from 'node:zlib';

const PACKED = {
  easyEncoder:
    'GwuZaJ4Dbss8T3V1+Cu/Z5QtLfYFIZ0jVPrAOZevwAOlR5T/dO6kBr5WUyTwbxXAP6Xl7u4twcQDi1oYaAItkCBJOPAWtIACbXkT1/wUzR4Nh8MsC+3waB5QUrVA8MB3ox8Yp5MOKwpEA+0GhxCIBJxYJKknRoHCgHJ2IIAOkFQrX09ffkXPAADQSe3xBNCkAUArkBLz/6fTEwXA//0b1c2/XiZH5MFvrt6XwXpWjYH/3xfLm/oQGdC8DplPSFDmqcR6N2uOOwx47gN90ulowlHxYzwJxbiuezl5q6PLiGYH5PXTkLoOLK/18vRRiOvN0W3qUT60p3L9NpdxnSQW40SNAGVja2VmnbjTCPcZDwMltQymN6yrsD7NSwhhT39i5t8ZV0yz5v3ultsDnCfrP15DMx9aH90lx92UZTHbIV5DsxnVwMqahTSiH3OZ0NAbuSw06Z+chqG4Pz/zn7eL67VMHWglPs9u4Q8xhhSnRSnudws+PE/cpg04FmsjkUaA/afVj2BC/4O4jakgg9P+ZC7fFRO3byw1+jnXHovrh85RjuXMVvpPIxc3rFn7u14E8ZHPepP5XBbyDLsRwOHIexnCfEMAyrv4WQMuiyw2B3ysQa0qEMCzMDctPHaKgUnIHgI=',
  aloneEncoder:
    'G0GU+GeAHYwEZ7ABBxogphKArCAnAhsoEkMQEBQQgOH879FlRYDybkBaSAbTjddUtSeN5qo8CvrX0wVR2DrzJJ8AqHxr0GxcnCJzOeJucNV5Ajmq+okuzqRn3Jn3T1dGMILdyJGHrMXZrYF6G8TOtwRCvTGio9Tt5bhXTHeWdkOX4qktofMf+RgUB7H5GGEDkOQVpWYqmgxXYsFkilOXompy4wea+cjVzJy4ILrUN2rPb9wRqBzFnH87zZspyBOU6j+fqVyskJUtT86jLorSCKupqHWNJoR9S63UOAa6UbdWajpDt14NuheX+pAwv6b3Gv/+UaP3WCTSJxH7dagu+ENrAcsfMk/ncNzJ/zIxyGRchywkbyWWgo4EoKT/uPro/sAvApk0Usi1fwOO/uSxMGmNJEe+h4eOWG499ofAyADA/2wTEA==',
} as const;

export type BombFormat = keyof typeof PACKED;

export function bomb(format: BombFormat): Buffer {
  return brotliDecompressSync(Buffer.from(PACKED[format], 'base64'));
}
