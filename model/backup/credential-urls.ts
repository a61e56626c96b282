/** What an SMTP URL names. */
export interface SmtpServer {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Empty without a login. */
  readonly user: string;
  readonly password: string;
}

/** Ports by scheme and login. RFC 8314, RFC 6409, RFC 5321. */
const ports = { smtps: 465, submission: 587, smtp: 25 };

/**
 * Parses `smtps://user:password@host:port`; `undefined` if it has another form. User and password may contain any
 * characters, because a password is pasted as it is: the last `@` ends it, and only a valid `%40` stands for another character.
 */
export function parseSmtpUrl(text: string): SmtpServer | undefined {
  const match = /^(smtps?):\/\/(?:(.*)@)?(\[[\da-f:.]+\]|[^\s@:/?#[\]]+)(?::(\d{1,5}))?\/?$/is.exec(
    text.trim(),
  );
  if (!match) return undefined;
  const [, scheme = "", login = "", host = "", port] = match;
  const [user = "", ...rest] = login.split(":");
  const secure = scheme.toLowerCase() === "smtps";
  const usual = secure ? ports.smtps : user === "" ? ports.smtp : ports.submission;
  const server = {
    secure,
    host: host.replace(/^\[|\]$/g, ""),
    port: port === undefined ? usual : Number(port),
    user: decodeLogin(user),
    password: decodeLogin(rest.join(":")),
  };
  return server.port >= 1 && server.port <= 65_535 ? server : undefined;
}

/** A web URL without its login, and the login: `fetch` rejects a URL that has one. */
export function splitLogin(text: string): {
  readonly url: string;
  readonly login: string | undefined;
} {
  const url = new URL(text);
  const { username, password } = url;
  if (username === "" && password === "") return { url: text, login: undefined };
  url.username = "";
  url.password = "";
  return { url: url.href, login: `${decodeLogin(username)}:${decodeLogin(password)}` };
}

/** Whether a valid URL has a password. */
export function hasPassword(text: string): boolean {
  const smtp = parseSmtpUrl(text);
  return smtp ? smtp.password !== "" : URL.canParse(text) && new URL(text).password !== "";
}

/** Decodes `%40` and the like; a `%` that begins no such code stays as it is. */
function decodeLogin(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (codes) => {
    try {
      return decodeURIComponent(codes);
    } catch {
      return codes;
    }
  });
}
