def run(context, result):
    pass
