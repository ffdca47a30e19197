// Who is signed in. The token lives in sessionStorage, the secret only in this page's memory (to renew the token).

import { currentLanguage } from "./language.js";

const KEPT = "motcua.console.session";
const NEEDED = "ops:read";
const WANTED = [NEEDED, "ops:act", "services:read", "services:write", "webhooks:read", "webhooks:write"];
const PATIENCE_MS = 12_000;

let credentials = null;
let session = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");

/** A refusal: the server's problem document (RFC 9457). */
export class Problem extends Error {
  constructor(status, document) {
    super(document.code ?? `HTTP ${status}`);
    this.status = status;
    this.code = document.code ?? "";
    this.document = document;
  }

  /** Return its words in the language shown. */
  words() {
    const { title, title_vi: titleVi, detail } = this.document;
    if (currentLanguage() === "vi") return titleVi ?? `HTTP ${this.status}`;
    return [title ?? `HTTP ${this.status}`, detail].filter(Boolean).join(": ");
  }
}

/** No answer came: what was asked may or may not have happened. */
export class NoAnswer extends Error {}

export const signedIn = () => session !== null;
export const who = () => session?.clientId ?? "";
export const may = (scope) => session?.scopes.includes(scope) ?? false;

export async function signIn(clientId, secret) {
  credentials = { clientId, secret };
  await takeToken();
}

export function signOut() {
  credentials = session = null;
  sessionStorage.removeItem(KEPT);
}

/** Ask for no more rights than this page uses; raises Problem invalid_scope when not even looking is granted. */
async function takeToken() {
  const first = await askToken(WANTED);
  const missing = first.body.missing ?? [];
  const again = first.body.code === "invalid_scope" && missing.length > 0 && !missing.includes(NEEDED);
  const { answer, body } = again ? await askToken(WANTED.filter((scope) => !missing.includes(scope))) : first;
  if (!answer.ok) throw new Problem(answer.status, body);
  session = { clientId: credentials.clientId, token: body.access_token, scopes: body.scope.split(" ") };
  sessionStorage.setItem(KEPT, JSON.stringify(session));
}

async function askToken(scopes) {
  const answer = await send("oauth/token", {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials", client_id: credentials.clientId, client_secret: credentials.secret, scope: scopes.join(" "),
    }),
  });
  return { answer, body: await read(answer) };
}

/** Call our API with the token, renewed once when it has expired; return {status, etag, body}. */
export async function call(path, { method = "GET", headers = {}, body } = {}) {
  for (const last of [false, true]) {
    const answer = await send(`api/v1/${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        authorization: `Bearer ${session?.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    });
    if (answer.status === 304) return { status: 304, etag: headers["if-none-match"], body: null };
    const found = await read(answer);
    if (answer.ok) return { status: answer.status, etag: answer.headers.get("etag"), body: found };
    if (answer.status !== 401 || last || !credentials) throw new Problem(answer.status, found);
    await takeToken();
  }
  throw new Error("unreachable: the second answer is returned or thrown");
}

async function send(path, options) {
  try {
    return await fetch(path, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS), ...options });
  } catch (cause) {
    throw new NoAnswer(path, { cause });
  }
}

async function read(answer) {
  try {
    return await answer.json();
  } catch (cause) {
    if (answer.ok) throw new NoAnswer("half an answer", { cause });
    return {};
  }
}
