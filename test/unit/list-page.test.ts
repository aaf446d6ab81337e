/** Pages of a listing are read off their text; what is read is what the SDK reads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { parseListPage, readingPage } from '../../src/aws/list-page.ts';
import { createObjectStores, createS3Client } from '../../src/aws/s3.ts';

let page = '';
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/xml' }).end(page);
});
let client: ReturnType<typeof createS3Client>;
let stores: ReturnType<typeof createObjectStores>;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = {
    region: 'us-west-2',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  };
  client = createS3Client(connection);
  stores = createObjectStores(connection);
});
after(() => {
  client.destroy();
  stores.close();
  server.close();
  server.closeAllConnections();
});

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const TIME = '2013-10-30T01:31:00.000Z';
const object = (key: string, size = 7): string =>
  `<Contents><Key>${escaped(key)}</Key><LastModified>${TIME}</LastModified><ETag>&quot;e&quot;</ETag><ChecksumType>FULL_OBJECT</ChecksumType><Size>${size}</Size><Owner><ID>o</ID><DisplayName>d</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>`;
/** Without an owner, as S3 writes it when nobody asks for it. */
const usual = (key: string, size: number): string => object(key, size).replace(/<Owner>.*<\/Owner>/, '');
const folder = (name: string): string => `<CommonPrefixes><Prefix>${escaped(name)}</Prefix></CommonPrefixes>`;
const whole = (...parts: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><Delimiter/><MaxKeys>1000</MaxKeys>${parts.join('')}</ListBucketResult>`;
const END = '<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>';

async function bySdk(): Promise<unknown> {
  const { Contents, CommonPrefixes, KeyCount, IsTruncated, NextContinuationToken } = await client.send(
    new ListObjectsV2Command({ Bucket: 'b' }),
  );
  return {
    Contents: (Contents ?? []).map(({ Key, Size, ETag, LastModified }) => ({ Key, Size, ETag, LastModified })),
    CommonPrefixes: CommonPrefixes ?? [],
    KeyCount,
    IsTruncated,
    ...(NextContinuationToken !== undefined && { NextContinuationToken }),
  };
}

describe('a page of a listing', () => {
  it('is read as the SDK reads it, whatever is in keys, folders and token', async () => {
    const text = fc.stringMatching(/^[!-~äß€]{1,30}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.array(text),
        fc.array(text),
        fc.option(text),
        fc.nat(),
        async (keys, folders, token, size) => {
          const more = token === null ? '' : `<NextContinuationToken>${escaped(token)}</NextContinuationToken>`;
          const facts = `<KeyCount>${keys.length}</KeyCount><IsTruncated>${token !== null}</IsTruncated>${more}`;
          page = whole(facts, ...keys.flatMap((key) => [object(key, size), usual(key, size)]), ...folders.map(folder));
          assert.deepEqual(parseListPage(page), await bySdk());
        },
      ),
      { numRuns: 100 },
    );
  });

  for (const [what, xml] of [
    ['a comment', whole(END, '<!-- x -->', object('k'))],
    ['a character by its number', whole(END, object('k').replace('<Key>k', '<Key>k&#x41;'))],
    ['a section of plain text', whole(END, '<Contents><Key><![CDATA[a]]></Key></Contents>')],
    ['members with attributes', whole(END, object('k').replace('<Key>', '<Key a="b">'))],
    ['encoded keys', whole(END, '<EncodingType>url</EncodingType>', object('k'))],
    ['a time of another form', whole(END, object('k').replace(TIME, 'Wed, 30 Oct 2013 01:31:00 GMT'))],
    ['a size that is no number', whole(END, object('k').replace('<Size>7', '<Size>seven'))],
    ['an end that is missing', whole(END, object('k')).slice(0, -30)],
    ['another document', '<html><body><h1>It works!</h1></body></html>'],
    ['nothing', ''],
  ] as const) {
    it(`with ${what} is left to the SDK`, async () => {
      assert.equal(parseListPage(xml), undefined);
      page = xml;
      const command = new ListObjectsV2Command({ Bucket: 'b' });
      const readPage = readingPage(command);
      const [own, plain] = await Promise.allSettled([client.send(command), bySdk()]);
      assert.equal(readPage(), undefined);
      assert.equal(own.status, plain.status, 'the SDK is given the page as it came');
      if (own.status === 'fulfilled' && xml.includes('<Contents>')) assert.equal(own.value.Contents?.length, 1);
    });
  }

  it('gives the store its entries', async () => {
    page = whole(END, folder('a/'), object('a&b'));
    const entries = await Array.fromAsync(stores.bucket('b').list('a'));
    assert.deepEqual(entries, [
      { kind: 'folder', name: 'a/' },
      { kind: 'object', key: 'a&b', size: 7, etag: '"e"', lastModified: new Date(TIME) },
    ]);
  });
});
