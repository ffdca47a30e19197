-- Times are ISO 8601 in UTC, so that they sort as text.

create table if not exists received (        -- every call, and every row that a call carried, in order
  seq integer primary key,
  call integer not null,                      -- seq of the call's own row
  received_at text not null,
  service text not null,
  unit text not null default '',              -- madonvi
  dossier text,                               -- null: the call itself
  status text,
  is_updating text,
  outcome text not null,                      -- see outcomes in README.md
  code text not null,
  message text not null,
  fault text,                                 -- kinds of the faults that fired
  body text                                   -- the row as it came
) strict;
create index if not exists received_dossier on received (dossier, seq) where dossier is not null;
create index if not exists received_call on received (fault) where dossier is null;
create index if not exists received_outcome on received (outcome, dossier);

create table if not exists dossier (
  code text primary key,
  status text,                                -- null: known from elsewhere, nothing told yet
  accepted integer not null,                  -- has been in status 2
  digest blob,                                -- of the latest HoSo taken
  seq integer                                 -- the row of the latest HoSo taken
) strict, without rowid;

create table if not exists early_words (     -- a dossier's words that the REST dialect told before any status
  code text primary key,
  words text not null
) strict, without rowid;

create table if not exists status (
  seq integer primary key,                    -- the row of received that told it
  dossier text not null,
  status text not null,
  event_time text,                            -- ThoiDiemXuLy of the TienDo that came for it
  received_at text not null
) strict;
create index if not exists status_dossier on status (dossier, seq);

create table if not exists tien_do (
  seq integer primary key,
  dossier text not null,
  digest blob not null,
  unique (dossier, digest)
) strict;

create table if not exists session (
  id text primary key,
  opened_at text not null
) strict, without rowid;

create table if not exists fault (
  id integer primary key autoincrement,       -- never given twice: deleting an old id cannot end a later order
  spec text not null,
  fired integer not null
) strict;

create table if not exists submission (
  number text primary key,                    -- MaHoSoDVCQG
  submitted_at text not null,
  body text not null,
  attempts integer not null default 0,
  answer_status integer,
  answer text
) strict;

create table if not exists file (
  hash text primary key,                      -- lower hex SHA-256 of the content
  name text not null,
  content blob not null
) strict;

create table if not exists payment (
  reference text primary key,                 -- MaThamChieu
  dossier text not null,
  amount_vnd integer not null,
  opened_at text not null,
  digest blob not null,                       -- of the INIT without its time, address and hash
  body text not null
) strict;
create index if not exists payment_dossier on payment (dossier);

create table if not exists payment_transaction (
  id text primary key,                        -- MaGiaoDich
  reference text not null,
  outcome text not null check (outcome in ('success', 'fail')),
  amount_vnd integer not null,
  made_at text not null
) strict;
create index if not exists payment_transaction_reference on payment_transaction (reference);

create table if not exists callback (        -- one CONFIRM that is sent until it is answered "00"
  id integer primary key autoincrement,
  transaction_id text not null,
  reference text not null,
  due_at text not null,
  body text not null,
  attempts integer not null default 0,
  confirmed_at text
) strict;
create index if not exists callback_reference on callback (reference);

create table if not exists callback_reply (
  id integer primary key,
  callback integer not null,
  replied_at text not null,
  http_status integer,                        -- null: no answer came
  body text not null,
  hash_ok integer not null
) strict;
create index if not exists callback_reply_callback on callback_reply (callback);
