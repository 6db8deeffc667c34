import Corpus
import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Tokenization

func now() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
func load(_ path: String) throws -> [Document] {
  var docs: [Document] = []
  for (i, line) in try Files.read(path).split(separator: 10).enumerated() {
    let d = try JSONDocument(Array(line), place: "\(path):\(i + 1)").root
    docs.append(Document(id: d["id"]?.string ?? "\(i)", text: d["text"]?.bytes ?? [], source: d["source"]?.string))
  }
  return docs
}
let args = CommandLine.arguments
do {
switch args[1] {
case "train":  // train out vocab kind threads files…
  var c = BytePairTrainer.Configuration()
  c.vocabulary = Int(args[3])!
  c.pretokenizer = Pretokenizer(rawValue: args[4])!
  var t = try BytePairTrainer(c)
  let pool = ThreadPool(threads: Int(args[5])!)
  var s = 0.0
  for p in args[6...] { let d = try load(p); let a = now(); t.add(d, pool: pool); s += now() - a }
  let a = now()
  let tok = try t.finish()
  let b = now()
  print("bytes \(t.bytes) words \(t.wordCount) count \(s) s learn \(b - a) s vocab \(tok.vocabularySize) \(tok.fingerprint)")
  try tok.write(to: args[2], tool: "weir", configuration: try JSONValue(encoding: c), replacing: true)
case "encode":  // encode folder file → lines of ids
  let tok = try Tokenizer(folder: args[2])
  var ctx = EncodeContext()
  var out = ""
  for d in try load(args[3]) { var ids: [UInt32] = []; tok.encode(d.text, into: &ids, context: &ctx); out += "{\"id\":\"\(d.id)\",\"tokens\":\(ids)}\n" }
  print(out, terminator: "")
case "bench":
  let a0 = now()
  let tok = try Tokenizer(folder: args[2])
  print("load \(now() - a0) s")
  var docs: [Document] = []
  for p in args[3...] { docs += try load(p) }
  let bytes = docs.reduce(0) { $0 + $1.text.count }
  var ctx = EncodeContext()
  for _ in 0..<3 {
    let a = now(); var n = 0
    var ids: [UInt32] = []
    for d in docs { ids.removeAll(keepingCapacity: true); tok.encode(d.text, into: &ids, context: &ctx); n += ids.count }
    let b = now()
    print("encode \(Double(bytes) / (b - a) / 1e6) MB/s \(n) tokens \(Double(bytes) / Double(n)) B/token")
  }
  var a = now(); var k = 0
  for d in docs { k += tok.pretokenizer.split(d.text).count }
  print("split \(Double(bytes) / (now() - a) / 1e6) MB/s \(k)")
  let word = [UInt8](repeating: 97, count: 4 << 20)
  a = now(); let w = tok.encode(word); print("4 MB word \(now() - a) s \(w.count)")
case "report":
  var docs: [Document] = []
  for p in args[3...] { docs += try load(p) }
  print(String(decoding: try JSONFile.encode(TokenizerReport(try Tokenizer(folder: args[2]), documents: docs)), as: UTF8.self))
default: break
}
} catch { print("error: \(error)"); exit(1) }
