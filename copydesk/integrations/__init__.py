"""copydesk as a step of other people's pipelines; each module needs the extra of its name.

    datatrove   `CopydeskCleaner`, a PipelineStep of datatrove

For `datasets`, no module is needed: `dataset.map(copydesk.Cleaner(), batched=True)`.
"""
