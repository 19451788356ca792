#!/usr/bin/env python3
"""An SMTP server with TLS and AUTH (PLAIN, LOGIN) that keeps every mail as a file. Needs aiosmtpd.

Without `--smtps` it offers STARTTLS and takes nothing before it. Each mail becomes `NNNN.eml` in `--dir`; the
envelope is in `GET /_control/received`. Faults (see peer.py), for the next `count` commands of a `stage`
(`mail`, `rcpt`, `data`; default rcpt) and, with `to`, one recipient: `reply` (answer `status` and `text`: 550, 451,
552 …), `hang` (wait `seconds`, then close), `drop` (close), `process_drop` (keep the mail, close without an answer).
"""

import asyncio
import fnmatch
import logging
import os
import ssl
import threading
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

import peer


class Mails:
    """aiosmtpd's hooks: faults first, then the mail is kept."""

    def __init__(self, shared, folder):
        self.peer, self.folder, self.count = shared, folder, 0

    async def fault(self, server, stage, recipient=None):
        """Carries out a fault of this stage; gives the reply to send, if any."""
        found = self.peer.take_fault(
            lambda f: f.get("action") != "process_drop"
            and f.get("stage", "rcpt") == stage
            and fnmatch.fnmatchcase(recipient or "", f.get("to", "*"))
        )
        if found is None:
            return None
        if found.get("action") == "reply":
            return f"{found.get('status', 451)} {found.get('text', 'refused by the test')}"
        if found.get("action") == "hang":
            await asyncio.get_running_loop().run_in_executor(None, self.peer.wait, found.get("seconds", 3600))
        server.transport.abort()
        return "421 closing"

    async def handle_MAIL(self, server, _session, envelope, address, options):
        if reply := await self.fault(server, "mail"):
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, _session, envelope, address, options):
        if reply := await self.fault(server, "rcpt", address):
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if reply := await self.fault(server, "data"):
            return reply
        self.count += 1
        path = os.path.join(self.folder, f"{self.count:04}.eml")
        with open(path + ".part", "wb") as file:
            file.write(envelope.original_content)
        os.rename(path + ".part", path)
        unknown = self.peer.take_fault(lambda f: f.get("action") == "process_drop")
        self.peer.record({
            "mail_from": envelope.mail_from, "rcpt_tos": envelope.rcpt_tos, "file": path, "helo": session.host_name,
            "user": str(session.auth_data or ""), "fault": "process_drop" if unknown else None, "accepted": True,
        })
        if unknown:
            server.transport.abort()
        return "250 2.0.0 kept"


class Smtp(peer.Peer):
    """The listening socket, opened and closed on the event loop."""

    def __init__(self, options, context):
        super().__init__("smtp", actions={"reply", "hang", "drop", "process_drop"}, log=options.log)
        self.options, self.context, self.server, self.port = options, context, None, options.port
        self.mails = Mails(self, options.dir)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.set_listening = self.listen
        self.listen(True)

    def protocol(self):
        smtps = self.options.smtps
        return SMTP(
            self.mails, hostname="mail.example.test", ident="test-peer", loop=self.loop, enable_SMTPUTF8=True,
            tls_context=None if smtps else self.context, require_starttls=not smtps, auth_require_tls=not smtps,
            auth_required=True, authenticator=self.authenticate,
        )

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        right = (self.options.user.encode(), self.options.password.encode())
        if (data.login, data.password) != right:
            # With handled=True aiosmtpd would send no answer, and the client would wait for ever.
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=self.options.user)

    def listen(self, listening):
        asyncio.run_coroutine_threadsafe(self.change(listening), self.loop).result(10)

    async def change(self, listening):
        if listening and self.server is None:
            tls = self.context if self.options.smtps else None
            self.server = await self.loop.create_server(self.protocol, "127.0.0.1", self.port, ssl=tls)
            self.port = self.server.sockets[0].getsockname()[1]
        elif not listening and self.server is not None:
            self.server.close()
            self.server = None


def main():
    parser = peer.arguments(__doc__)
    parser.add_argument("--dir", required=True, help="folder for the mails")
    parser.add_argument("--smtps", action="store_true", help="TLS from the first byte")
    parser.add_argument("--user", default="alerts")
    parser.add_argument("--password", default="test-password")
    options = parser.parse_args()
    # aiosmtpd warns that AUTH goes without STARTTLS where TLS is there from the first byte.
    warnings.simplefilter("ignore")
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    context = peer.tls_context(options)
    if context is None:
        parser.error("--tls-cert and --tls-key are needed: see certs.sh")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    os.makedirs(options.dir, exist_ok=True)
    smtp = Smtp(options, context)
    peer.Handler.peer = smtp
    control = peer.Listener(options.control_port, peer.Handler)
    peer.run(options, port=smtp.port, control_port=control.port, dir=options.dir)


if __name__ == "__main__":
    main()
