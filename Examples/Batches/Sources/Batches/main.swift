// Prints the beginning of a packed training batch and where it comes from: Batches DATASET ORDER.json
import Loading
import Tokenization
import Tokens

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 2, let path = arguments.first, let order = arguments.last else {
  fatalError("usage: Batches DATASET ORDER.json, the file from weir pack --order")
}
let dataset = try TokenDataset(path)
let tokenizer = try Tokenizer(folder: path + "/tokenizer")
let loader = try PackedLoader(order: order, rows: 8)
print("\(dataset.documentCount) documents, \(dataset.tokenCount) tokens, \(loader.fingerprint)")

let batch = try loader.batch(step: 1_000)  // any step, in constant time
for segment in batch.segments.prefix(4) {
  let start = segment.row * batch.sequence + segment.start
  let tokens = batch.tokens[start..<start + min(segment.count, 12)].map { UInt32(bitPattern: $0) }
  let text = String(decoding: tokenizer.decode(tokens), as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " ")
  print("row \(segment.row), \(segment.count) tokens of \(try dataset.info(segment.document).origin): \(text)…")
}
