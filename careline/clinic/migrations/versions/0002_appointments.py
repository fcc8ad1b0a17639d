"""Sites, clinicians, schedules, appointments that cannot overlap, the waiting list."""

import sqlalchemy as sa
from alembic import op

revision = "0002_appointments"
down_revision = "0001_core"
branch_labels = None
depends_on = None

LIVE = "'requested', 'held', 'booked', 'arrived'"
# Two live appointments of one clinician may never overlap, whoever writes them.
OVERLAP = (
    f"SELECT RAISE(ABORT, 'appointments overlap') WHERE NEW.state IN ({LIVE}) AND EXISTS (SELECT 1 FROM appointments a "
    f"WHERE a.clinician_id = NEW.clinician_id AND a.id <> NEW.id AND a.state IN ({LIVE}) "
    "AND a.busy_from < NEW.busy_until AND a.busy_from > datetime(NEW.busy_from, '-1 day') "
    "AND a.busy_until > NEW.busy_from);"
)
NO_OVERLAP = {
    "sqlite": (
        f"CREATE TRIGGER appointments_no_overlap_insert BEFORE INSERT ON appointments BEGIN {OVERLAP} END",
        "CREATE TRIGGER appointments_no_overlap_update BEFORE UPDATE OF state, clinician_id, busy_from, busy_until "
        f"ON appointments BEGIN {OVERLAP} END",
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS btree_gist",
        "ALTER TABLE appointments ADD CONSTRAINT ex_appointments_no_overlap EXCLUDE USING gist "
        f"(clinician_id WITH =, tstzrange(busy_from, busy_until) WITH &&) WHERE (state IN ({LIVE}))",
    ),
}


def upgrade() -> None:
    op.create_table(
        "appointment_types",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_before", sa.Integer(), nullable=False),
        sa.Column("buffer_after", sa.Integer(), nullable=False),
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("daily_max", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=24), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_types")),
        sa.UniqueConstraint("code", name=op.f("uq_appointment_types_code")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=240), nullable=True),
        sa.Column("facilities", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )
    op.create_table(
        "appointment_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("result_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_appointment_keys_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_keys")),
        sa.UniqueConstraint("patient_id", "key", name=op.f("uq_appointment_keys_patient_id_key")),
    )
    op.create_table(
        "clinicians",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_clinicians_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinicians")),
    )
    op.create_index(op.f("ix_clinicians_site_id"), "clinicians", ["site_id"], unique=False)
    op.create_table(
        "appointments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("booked_by", sa.String(length=32), nullable=True),
        sa.Column("clinician_id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("type_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("level", sa.String(length=24), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_from", sa.String(length=32), nullable=True),
        sa.Column("series_id", sa.String(length=32), nullable=True),
        sa.Column("reminded", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "busy_from <= starts_at AND starts_at < ends_at AND ends_at <= busy_until",
            name=op.f("ck_appointments_order"),
        ),
        sa.ForeignKeyConstraint(["booked_by"], ["patients.id"], name=op.f("fk_appointments_booked_by")),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinicians.id"], name=op.f("fk_appointments_clinician_id")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_appointments_conversation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_appointments_patient_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_appointments_site_id")),
        sa.ForeignKeyConstraint(["type_id"], ["appointment_types.id"], name=op.f("fk_appointments_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    op.create_index("ix_appointments_busy", "appointments", ["clinician_id", "busy_from"], unique=False)
    op.create_index("ix_appointments_holds", "appointments", ["state", "hold_expires_at"], unique=False)
    op.create_index("ix_appointments_patient", "appointments", ["patient_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_appointments_series_id"), "appointments", ["series_id"], unique=False)
    op.create_index("ix_appointments_state", "appointments", ["state", "starts_at"], unique=False)
    op.create_table(
        "clinician_types",
        sa.Column("clinician_id", sa.String(length=32), nullable=False),
        sa.Column("type_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinicians.id"], name=op.f("fk_clinician_types_clinician_id")),
        sa.ForeignKeyConstraint(["type_id"], ["appointment_types.id"], name=op.f("fk_clinician_types_type_id")),
        sa.PrimaryKeyConstraint("clinician_id", "type_id", name=op.f("pk_clinician_types")),
    )
    op.create_table(
        "schedule_exceptions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site_id", sa.String(length=32), nullable=False),
        sa.Column("clinician_id", sa.String(length=32), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=True),
        sa.Column("ends", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinicians.id"], name=op.f("fk_schedule_exceptions_clinician_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_schedule_exceptions_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_exceptions")),
    )
    op.create_index(op.f("ix_schedule_exceptions_day"), "schedule_exceptions", ["day"], unique=False)
    op.create_table(
        "unavailability",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("clinician_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinicians.id"], name=op.f("fk_unavailability_clinician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unavailability")),
    )
    op.create_index("ix_unavailability_when", "unavailability", ["clinician_id", "starts_at"], unique=False)
    op.create_table(
        "working_hours",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("clinician_id", sa.String(length=32), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("starts < ends", name=op.f("ck_working_hours_order")),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinicians.id"], name=op.f("fk_working_hours_clinician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_working_hours")),
    )
    op.create_index(op.f("ix_working_hours_clinician_id"), "working_hours", ["clinician_id"], unique=False)
    op.create_table(
        "waitlist",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=32), nullable=False),
        sa.Column("type_id", sa.String(length=32), nullable=False),
        sa.Column("windows", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hold_id", sa.String(length=32), nullable=True),
        sa.Column("before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["appointments.id"], name=op.f("fk_waitlist_hold_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_waitlist_patient_id")),
        sa.ForeignKeyConstraint(["type_id"], ["appointment_types.id"], name=op.f("fk_waitlist_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist")),
    )
    op.create_index(op.f("ix_waitlist_patient_id"), "waitlist", ["patient_id"], unique=False)
    op.create_index("ix_waitlist_waiting", "waitlist", ["state", "type_id", "created_at"], unique=False)
    for statement in NO_OVERLAP[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("waitlist")
    op.drop_table("working_hours")
    op.drop_table("unavailability")
    op.drop_table("schedule_exceptions")
    op.drop_table("clinician_types")
    op.drop_table("appointments")
    op.drop_table("clinicians")
    op.drop_table("appointment_keys")
    op.drop_table("sites")
    op.drop_table("appointment_types")
