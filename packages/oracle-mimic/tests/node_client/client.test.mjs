// node-oracledb (thin) against oracle-mimic: connect, bind, fetch each type, insert in bulk. Started by test_node_client.py.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import oracledb from 'oracledb';

const { ORACLE_DSN: connectString, ORACLE_USER: user, ORACLE_PASSWORD: password } = process.env;
let connection;

before(async () => {
  connection = await oracledb.getConnection({ user, password, connectString });
  for (const name of ['NODE_TYPES', 'NODE_BULK', 'NODE_LOADED', 'NODE_CHILD']) {
    await connection.execute(`drop table ${name} purge`).catch((error) => assert.equal(error.errorNum, 942));
  }
});

after(async () => {
  await connection.close();
});

async function only(sql, binds = [], options = {}) {
  const { rows } = await connection.execute(sql, binds, options);
  assert.equal(rows.length, 1);
  return rows[0];
}

test('connects as a thin client of 19c, and says who it is', async () => {
  assert.equal(oracledb.thin, true);
  assert.match(connection.oracleServerVersionString, /^19\./);
  connection.module = 'node';
  connection.action = 'test';
  connection.clientId = 'client 1';
  const context = (name) => `sys_context('userenv', '${name}')`;
  assert.deepEqual(await only(`select user, ${context('module')}, ${context('action')}, ${context('client_identifier')} from dual`), [
    user,
    'node',
    'test',
    'client 1',
  ]);
  await connection.ping();
});

test('is told what is wrong with a logon', async () => {
  await assert.rejects(oracledb.getConnection({ user, password: 'wrong', connectString }), { errorNum: 1017 });
  await assert.rejects(oracledb.getConnection({ user, password, connectString: connectString.replace(/[^/]*$/, 'nobody') }), {
    code: 'NJS-518',
  });
});

test('binds by name and by position, in and out', async () => {
  const moment = new Date(Date.UTC(2026, 1, 3, 4, 5, 6));
  assert.deepEqual(await only('select :a, :b, :c, :d from dual', { a: 1.5, b: 'xÿ€', c: moment, d: null }), [1.5, 'xÿ€', moment, null]);
  assert.deepEqual(await only('select :1, :2 from dual', [-7, Buffer.from('ff00', 'hex')]), [-7, Buffer.from('ff00', 'hex')]);
  const doubled = await connection.execute('begin :o := :i * 2; :t := :t || :t; end;', {
    o: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER },
    i: 21,
    t: { dir: oracledb.BIND_INOUT, val: 'ab', type: oracledb.STRING, maxSize: 100 },
  });
  assert.deepEqual(doubled.outBinds, { o: 42, t: 'abab' });
});

const TYPES = [
  // column, type, value bound, value fetched (the same when left out), type of the bind when the value does not tell it
  ['N', 'NUMBER(10)', -1234567890],
  ['N38', 'NUMBER(38)', '12345678901234567890123456789012345678', undefined, undefined, oracledb.STRING],
  ['NS', 'NUMBER(12,4)', 12345678.0625],
  ['NU', 'NUMBER', 1.5e-100],
  ['F', 'FLOAT(53)', 0.1],
  ['BF', 'BINARY_FLOAT', 1.5, undefined, oracledb.DB_TYPE_BINARY_FLOAT],
  ['BD', 'BINARY_DOUBLE', -Number.MAX_VALUE, undefined, oracledb.DB_TYPE_BINARY_DOUBLE],
  ['BI', 'BINARY_DOUBLE', Infinity, undefined, oracledb.DB_TYPE_BINARY_DOUBLE],
  ['BN', 'BINARY_DOUBLE', NaN, undefined, oracledb.DB_TYPE_BINARY_DOUBLE],
  ['C', 'CHAR(5)', 'ab', 'ab   '],
  ['V', 'VARCHAR2(100)', "ação's €"],
  ['NC', 'NCHAR(4)', 'ñ€', 'ñ€  ', oracledb.DB_TYPE_NCHAR],
  ['NV', 'NVARCHAR2(50)', 'ñ€', undefined, oracledb.DB_TYPE_NVARCHAR],
  ['D', 'DATE', new Date(Date.UTC(1969, 6, 20, 20, 17, 40))],
  ['T', 'TIMESTAMP(3)', new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789)), undefined, oracledb.DB_TYPE_TIMESTAMP],
  ['TZ', 'TIMESTAMP(3) WITH TIME ZONE', new Date(Date.UTC(2026, 6, 3, 4, 5, 6, 789)), undefined, oracledb.DB_TYPE_TIMESTAMP_TZ],
  ['TL', 'TIMESTAMP(3) WITH LOCAL TIME ZONE', new Date(Date.UTC(2026, 6, 3, 4, 5, 6, 789)), undefined, oracledb.DB_TYPE_TIMESTAMP_LTZ],
  ['DS', 'INTERVAL DAY(3) TO SECOND(6)', new oracledb.IntervalDS({ days: 100, hours: 2, minutes: 3, seconds: 4, fseconds: 500000000 })],
  ['YM', 'INTERVAL YEAR TO MONTH', new oracledb.IntervalYM({ years: -3, months: -4 })],
  ['R', 'RAW(20)', Buffer.from('00ff10', 'hex')],
  ['CL', 'CLOB', 'Texto longo ' + 'ção€'.repeat(20_000)],
  ['NCL', 'NCLOB', 'ñ€'.repeat(1000), undefined, oracledb.DB_TYPE_NCLOB],
  ['BL', 'BLOB', Buffer.alloc(100_000, 'abc')],
  ['L', 'LONG', 'y'.repeat(40_000)],
];
const AS_TEXT_OR_BYTES = (column) => ({
  type: { [oracledb.CLOB]: oracledb.STRING, [oracledb.NCLOB]: oracledb.STRING, [oracledb.BLOB]: oracledb.BUFFER }[column.dbType],
});

test('binds and fetches each type', async () => {
  await connection.execute(`create table node_types (id number(9) primary key, ${TYPES.map(([name, type]) => `${name} ${type}`).join(', ')})`);
  await connection.execute('insert into node_types (id) values (0)');
  const binds = Object.fromEntries(TYPES.map(([name, , val, , type]) => [name, type === undefined ? { val } : { val, type }]));
  const places = TYPES.map(([name]) => `:${name}`).join(', ');
  await connection.execute(`insert into node_types values (1, ${places})`, binds);
  const fetchInfo = Object.fromEntries(TYPES.filter((one) => one[5]).map(([name, , , , , type]) => [name, { type }]));
  for (const [name, type, sent, back = sent] of TYPES) {
    const sql = `select ${name} from node_types order by id`;
    const options = name in fetchInfo ? { fetchInfo } : { fetchTypeHandler: AS_TEXT_OR_BYTES };
    assert.deepEqual((await connection.execute(sql, [], options)).rows, [[null], [back]], type);
  }
  assert.match((await only('select rowid from node_types where id = 1'))[0], /^[A-Za-z0-9+/]{18}$/);
});

test('is told the types, also of no rows', async () => {
  const { metaData, rows } = await connection.execute('select id, ns, v, c, t, r, cl from node_types where 1 = 0');
  assert.deepEqual(rows, []);
  assert.deepEqual(
    metaData.map((column) => [column.name, column.dbTypeName, column.precision, column.scale, column.byteSize, column.nullable]),
    [
      ['ID', 'NUMBER', 9, 0, undefined, false],
      ['NS', 'NUMBER', 12, 4, undefined, true],
      ['V', 'VARCHAR2', undefined, undefined, 100, true],
      ['C', 'CHAR', undefined, undefined, 5, true],
      ['T', 'TIMESTAMP', 3, undefined, undefined, true],
      ['R', 'RAW', undefined, undefined, 20, true],
      ['CL', 'CLOB', undefined, undefined, undefined, true],
    ],
  );
});

test('reads LOBs through locators and writes temporary ones', async () => {
  const [text, bytes] = await only('select cl, bl from node_types where id = 1');
  assert.equal(text.length, 80_012);
  assert.equal((await text.getData()).slice(0, 16), 'Texto longo ção€');
  assert.deepEqual(await bytes.getData(1, 6), Buffer.from('abcabc'));
  const lob = await connection.createLob(oracledb.CLOB);
  await new Promise((resolve, reject) => lob.on('finish', resolve).on('error', reject).end('temporário'));
  await connection.execute('update node_types set cl = :lob where id = 1', { lob });
  await lob.close();
  assert.deepEqual(await only('select cl from node_types where id = 1', [], { fetchTypeHandler: AS_TEXT_OR_BYTES }), ['temporário']);
});

test('inserts in bulk, and reads it by batches, streams and cursors', async () => {
  await connection.execute('create table node_bulk (id number(9) primary key, v varchar2(20) not null, d date)');
  const rows = Array.from({ length: 20_000 }, (_, id) => [id, `v${id}`, new Date(1e12 + id * 1000)]);
  const bulk = await connection.executeMany('insert into node_bulk values (:1, :2, :3)', rows, { autoCommit: true });
  assert.equal(bulk.rowsAffected, 20_000);
  const { resultSet } = await connection.execute('select id, v, d from node_bulk order by id', [], { resultSet: true, fetchArraySize: 3000 });
  const read = [];
  for (let some; (some = await resultSet.getRows(7000)).length; ) read.push(...some);
  await resultSet.close();
  assert.deepEqual(read, rows);
  let streamed = 0;
  for await (const row of connection.queryStream('select id from node_bulk where id < 5000')) streamed += row.length;
  assert.equal(streamed, 5000);
  const { outBinds } = await connection.execute('begin open :rc for select v from node_bulk where id in (7, 8) order by id; end;', {
    rc: { dir: oracledb.BIND_OUT, type: oracledb.CURSOR },
  });
  assert.deepEqual(await outBinds.rc.getRows(10), [['v7'], ['v8']]);
  await outBinds.rc.close();
});

test('tells the bad rows of an array, and returns values of the good ones', async () => {
  const sql = 'insert into node_bulk (id, v) values (:1, :2)';
  const rows = [[0, 'there already'], [30_000, 'good'], [30_001, null], [30_002, 'x'.repeat(21)]];
  const options = { batchErrors: true, dmlRowCounts: true, bindDefs: [{ type: oracledb.NUMBER }, { type: oracledb.STRING, maxSize: 30 }] };
  const { batchErrors, dmlRowCounts, rowsAffected } = await connection.executeMany(sql, rows, options);
  const codes = batchErrors.map((error) => [error.offset, error.message.slice(0, 9)]);
  assert.deepEqual(codes, [[0, 'ORA-00001'], [2, 'ORA-01400'], [3, 'ORA-12899']]);
  assert.deepEqual(dmlRowCounts, [0, 1, 0, 0]);
  assert.equal(rowsAffected, 1);
  const out = { dir: oracledb.BIND_OUT, type: oracledb.NUMBER };
  const updated = await connection.execute("update node_bulk set v = 'u' where id < 3 returning id into :out", { out });
  assert.deepEqual(updated.outBinds.out.toSorted(), [0, 1, 2]);
  await connection.rollback();
  assert.deepEqual(await only("select count(*) from node_bulk where v in ('good', 'u')"), [0]);
});

test('loads by the direct path', async () => {
  await connection.execute('create table node_loaded (id number(9), v varchar2(20), d date)');
  const day = new Date(Date.UTC(2026, 0, 2));
  await connection.directPathLoad(user, 'NODE_LOADED', ['ID', 'V', 'D'], [[1, 'um', day], [2, null, day]]);
  await connection.rollback(); // a load commits by itself
  assert.deepEqual((await connection.execute('select * from node_loaded order by id')).rows, [[1, 'um', day], [2, null, day]]);
});

test('is told errors by code, and goes on', async () => {
  await assert.rejects(connection.execute('select * from nothing_here'), { errorNum: 942, offset: 14 });
  await assert.rejects(connection.execute("insert into node_bulk (id, v) values (1, 'x')"), { errorNum: 1 });
  await assert.rejects(connection.execute('select 1/0 from dual'), { errorNum: 1476 });
  assert.deepEqual(await only('select 1 from dual'), [1]);
});

test('breaks and times out, and goes on', async () => {
  setTimeout(() => connection.break(), 150);
  await assert.rejects(connection.execute('begin dbms_session.sleep(20); end;'), { errorNum: 1013 });
  connection.callTimeout = 200;
  await assert.rejects(connection.execute('begin dbms_session.sleep(20); end;'), { code: 'NJS-123' });
  connection.callTimeout = 0;
  assert.deepEqual(await only('select 1 from dual'), [1]);
});

test('shares a pool', async () => {
  const pool = await oracledb.createPool({ user, password, connectString, poolMin: 1, poolMax: 4 });
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, number) => {
      const one = await pool.getConnection();
      try {
        return (await one.execute('select :1 from dual', [number])).rows[0][0];
      } finally {
        await one.close();
      }
    }),
  );
  assert.deepEqual(answers, Array.from({ length: 20 }, (_, number) => number));
  await pool.close(0);
});
