"""Mail goes through both servers with TLS and AUTH, and through nothing less."""

import email.message
import email.policy
import glob
import os
import smtplib
import ssl
import unittest

from peer_test import PeerTest, http, installed, wait_until


def send_mail(port, ca, smtps=False, user="alerts", password="test-password", to="oncall@example.test", login=None):
    context = ssl.create_default_context(cafile=ca)
    if smtps:
        client = smtplib.SMTP_SSL("localhost", port, timeout=10, context=context)
    else:
        client = smtplib.SMTP("localhost", port, timeout=10)
    try:
        if not smtps:
            client.starttls(context=context)
        client.ehlo()
        client.user, client.password = user, password
        if login:
            client.auth(login, getattr(client, f"auth_{login.lower()}"), initial_response_ok=login == "PLAIN")
        mail = email.message.EmailMessage(policy=email.policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = "watchbell@example.test", to, "Grüße"
        mail.set_content("text\n")
        mail.add_alternative("<p>html</p>", subtype="html")
        client.send_message(mail)
    finally:
        client.close()


def has_aiosmtpd():
    try:
        import aiosmtpd.smtp
    except ImportError:
        return False
    return bool(aiosmtpd.smtp)


@unittest.skipUnless(has_aiosmtpd(), "aiosmtpd is not installed")
class Smtp(PeerTest):
    def serve(self, *options):
        certs = self.certs()
        ready, _ = self.start("smtp.py", "--dir", f"{self.dir}/mails", "--tls-cert", f"{certs}/server.pem",
                              "--tls-key", f"{certs}/server.key", *options)
        return ready["port"], f"{certs}/ca.pem"

    def test_starttls(self):
        port, ca = self.serve()
        for login in ("PLAIN", "LOGIN"):
            send_mail(port, ca, login=login)
        self.assertEqual(len(glob.glob(f"{self.dir}/mails/*.eml")), 2)
        (first, _) = http("GET", f"{self.control}/received")[2]
        self.assertEqual(first["rcpt_tos"], ["oncall@example.test"])
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            send_mail(port, ca, password="wrong", login="PLAIN")
        with self.assertRaises(smtplib.SMTPSenderRefused, msg="without a login"):
            send_mail(port, ca)
        with smtplib.SMTP("localhost", port, timeout=10) as plain:
            plain.ehlo()
            self.assertFalse(plain.has_extn("auth"), "no AUTH before STARTTLS")
            self.assertEqual(plain.mail("a@example.test")[0], 530)

    def test_smtps(self):
        port, ca = self.serve("--smtps")
        send_mail(port, ca, smtps=True, login="PLAIN")
        self.assertEqual(len(glob.glob(f"{self.dir}/mails/*.eml")), 1)
        with self.assertRaises(smtplib.SMTPException):
            send_mail(port, ca, smtps=True, password="wrong", login="LOGIN")

    def test_faults(self):
        port, ca = self.serve()
        self.fault(action="reply", stage="rcpt", status=550, to="gone@*", text="5.1.1 unknown", count=1)
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            send_mail(port, ca, login="PLAIN", to="gone@example.test")
        self.fault(action="reply", stage="data", status=451, count=1)
        with self.assertRaises(smtplib.SMTPDataError):
            send_mail(port, ca, login="PLAIN")
        for stage in ("mail", "rcpt", "data"):
            self.fault(action="drop", stage=stage, count=1)
            with self.assertRaises((smtplib.SMTPServerDisconnected, OSError)):
                send_mail(port, ca, login="PLAIN")
        self.assertEqual(glob.glob(f"{self.dir}/mails/*"), [])
        self.fault(action="process_drop", count=1)
        with self.assertRaises((smtplib.SMTPServerDisconnected, OSError)):
            send_mail(port, ca, login="PLAIN")
        self.assertEqual(len(glob.glob(f"{self.dir}/mails/*.eml")), 1, "kept, but not answered")
        http("POST", f"{self.control}/listen", {"listening": False})
        with self.assertRaises(ConnectionRefusedError):
            send_mail(port, ca, login="PLAIN")
        http("POST", f"{self.control}/listen", {"listening": True})
        send_mail(port, ca, login="PLAIN")


@unittest.skipUnless(installed("postfix") and installed("dovecot") and os.geteuid() == 0, "postfix, dovecot or root is missing")
class Postfix(PeerTest):
    def test_round_trip(self):
        ready, _ = self.start("postfix.sh", "--dir", f"{self.dir}/postfix")
        box = ready["maildir"] + "/new/*"
        for smtps, login in ((False, "PLAIN"), (False, "LOGIN"), (True, "PLAIN")):
            send_mail(ready["smtps_port" if smtps else "port"], ready["ca"], smtps=smtps, login=login)
        mails = wait_until(lambda: len(found := glob.glob(box)) == 3 and found)
        with open(mails[0], "rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        self.assertEqual(mail["Subject"], "Grüße")
        self.assertIn("html", mail.get_body(("html",)).get_content())
        self.assertIn("with ESMTPSA", mail["Received"], "TLS and AUTH")
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            send_mail(ready["port"], ready["ca"], password="wrong", login="PLAIN")
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            send_mail(ready["port"], ready["ca"])
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            send_mail(ready["port"], ready["ca"], login="PLAIN", to="someone@elsewhere.test")
