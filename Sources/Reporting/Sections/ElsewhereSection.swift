/// How a trainer of another reads the rows that the mixture draws.
enum ElsewhereSection {
  static func section(_ summary: RunSummary) -> Section? {
    guard let order = summary.order else { return nil }
    let python = """
      import torch
      from transformers import AutoModelForCausalLM
      from weir_feed import PackedDataset, collate

      rows = PackedDataset("\(order)", columns=["input_ids", "labels", "position_ids"])
      model = AutoModelForCausalLM.from_pretrained(MODEL).train()
      optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
      for batch in torch.utils.data.DataLoader(rows, batch_size=8, num_workers=2, collate_fn=collate):
          loss = model(**batch, use_cache=False).loss  # documents of a row do not attend to each other
          loss.backward()
          optimizer.step(), optimizer.zero_grad()
      """
    let command = "weir feed DATASET --order \(order) --batch-size 8 | your-trainer"
    return Section(
      "elsewhere", "Train it elsewhere",
      lead:
        "The row order says which packed row comes at which position. The Python package weir_feed reads the same rows as Weir's own trainer.",
      [
        "<h3>PyTorch</h3>\n<pre>\(Escape.text(python))</pre>",
        "<h3>Any other program</h3>\n<pre>\(Escape.text(command))</pre>",
      ])
  }
}
