"""Plans with milestones by chat: set, reported on, summarised. 计划与里程碑"""
