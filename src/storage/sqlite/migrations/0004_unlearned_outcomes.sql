-- Attempts whose outcome was never learned.

-- JSON: the alerts that they may have told the receiver of as firing.
ALTER TABLE notification_log ADD COLUMN unlearned TEXT NOT NULL DEFAULT '[]';
