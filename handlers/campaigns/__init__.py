"""Campaigns by chat: their steps, their cards, lists and ticks, and what becomes of results. 免费活动"""
