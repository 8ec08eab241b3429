"""Measurements of several fields, with the unit traps of villages (domain.md A0, M-1, M-15)."""

from __future__ import annotations

from handlers.measurements.alcohol import Alcohol
from handlers.measurements.glucose import Glucose
from handlers.measurements.pressure import BloodPressure, weigh_readings

__all__ = ["Alcohol", "BloodPressure", "Glucose", "weigh_readings"]
