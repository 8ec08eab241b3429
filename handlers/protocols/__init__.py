"""Each file here is one disease; `common` holds what several of them share. 诊疗规范"""
