"""Medicines, drafts before the yes, doses with one terminal state, their log."""

import sqlalchemy as sa
from alembic import op

revision = "0003_medications"
down_revision = "0002_appointments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "medications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("directions", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("high_alert", sa.Boolean(), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("dose_approved", sa.Boolean(), nullable=False),
        sa.Column("grace", sa.Integer(), nullable=False),
        sa.Column("planned_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stock", sa.Double(), nullable=True),
        sa.Column("refill_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_medications_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medications")),
    )
    op.create_index("ix_medications_ahead", "medications", ["status", "planned_until"], unique=False)
    op.create_index("ix_medications_patient", "medications", ["patient_id", "status"], unique=False)
    op.create_table(
        "doses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("medication_id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slot", sa.String(length=20), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stale_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prompted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prompts", sa.Integer(), nullable=False),
        sa.Column("snoozes", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["medication_id"], ["medications.id"], name=op.f("fk_doses_medication_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_doses_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doses")),
        sa.UniqueConstraint("medication_id", "due_at", name=op.f("uq_doses_medication_id_due_at")),
        sa.UniqueConstraint("medication_id", "slot", name=op.f("uq_doses_medication_id_slot")),
    )
    op.create_index("ix_doses_patient", "doses", ["patient_id", "due_at"], unique=False)
    op.create_index(
        "ix_doses_to_close",
        "doses",
        ["closes_at"],
        unique=False,
        sqlite_where=sa.text("status = 'prompted'"),
        postgresql_where=sa.text("status = 'prompted'"),
    )
    op.create_index(
        "ix_doses_to_remind",
        "doses",
        ["remind_at"],
        unique=False,
        sqlite_where=sa.text("status = 'scheduled'"),
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.create_table(
        "medication_drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("medication_id", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["medication_id"], ["medications.id"], name=op.f("fk_medication_drafts_medication_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_medication_drafts_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medication_drafts")),
    )
    op.create_index(op.f("ix_medication_drafts_expires_at"), "medication_drafts", ["expires_at"], unique=False)
    op.create_index(op.f("ix_medication_drafts_patient_id"), "medication_drafts", ["patient_id"], unique=False)
    op.create_table(
        "dose_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("dose_id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["dose_id"], ["doses.id"], name=op.f("fk_dose_events_dose_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_dose_events_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dose_events")),
    )
    op.create_index(op.f("ix_dose_events_dose_id"), "dose_events", ["dose_id"], unique=False)
    op.create_index(op.f("ix_dose_events_patient_id"), "dose_events", ["patient_id"], unique=False)


def downgrade() -> None:
    op.drop_table("dose_events")
    op.drop_table("medication_drafts")
    op.drop_table("doses")
    op.drop_table("medications")
