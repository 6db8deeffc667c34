import Foundation
import Testing

/// `weir merge`: averages of models.
@Suite struct MergeTests {
  /// The tensors of a safetensors file, F32.
  private func tensors(_ path: String, _ binary: Binary) throws -> [String: [Float]] {
    let bytes = try #require(binary.read(path))
    let length = bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    let header = try #require(try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
    var tensors: [String: [Float]] = [:]
    for (name, value) in header {
      guard let range = (value as? [String: Any])?["data_offsets"] as? [Int] else { continue }
      let data = Array(bytes[(8 + length + range[0])..<(8 + length + range[1])])
      tensors[name] = stride(from: 0, to: data.count, by: 4).map { at in
        Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[at + $1]) << UInt32(8 * $1) })
      }
    }
    return tensors
  }

  private func prepare(_ binary: Binary) throws {
    try binary.useMade()
    let result = try binary.shell(
      """
      set -e
      echo '{{ messages }}' > run/model/chat_template.jinja
      weir finetune run --data docs.jsonl --epochs 1 --sequence 32 --batch-size 4 --lr 0.03 --method direct --quiet -o tuned
      weir train set -o other --width 32 --layers 1 --sequence 32 --batch-size 2 --tokens 128 --seed 7 --quiet
      """)
    #expect(result.code == 0, "\(result.errors)")
  }

  @Test func linearAndSpherical() throws {
    try inFolder { binary in
      try prepare(binary)
      let result = try binary.shell(
        """
        set -e
        weir merge run tuned --weight 0.25 -o linear --json --quiet
        weir merge run other --weight 0.3 --method spherical -o spherical --quiet
        weir merge run tuned other --weight 2 1 1 -o three --quiet
        weir merge run tuned --weight 0 -o first --quiet
        weir merge run tuned --weight 1 -o second --quiet
        weir verify linear; weir eval linear --data docs.jsonl --quiet
        """)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.text.contains("\"weights\":[0.75,0.25]"))
      let a = try tensors("run/model/model.safetensors", binary), b = try tensors("tuned/model/model.safetensors", binary)
      let c = try tensors("other/model/model.safetensors", binary)
      let linear = try tensors("linear/model.safetensors", binary), three = try tensors("three/model.safetensors", binary)
      let spherical = try tensors("spherical/model.safetensors", binary)
      #expect(binary.read("first/model.safetensors") == binary.read("run/model/model.safetensors"))
      #expect(binary.read("second/model.safetensors") == binary.read("tuned/model/model.safetensors"))
      #expect(Set(linear.keys) == Set(a.keys))
      for (name, values) in a {
        let other = try #require(b[name]), third = try #require(c[name])
        for i in values.indices {
          #expect(linear[name]?[i] == Float(0.75 * Double(values[i]) + 0.25 * Double(other[i])))
          #expect(abs((three[name]?[i] ?? .nan) - (0.5 * values[i] + 0.25 * other[i] + 0.25 * third[i])) < 1e-6)
        }
        // mergekit's formula.
        func dot(_ x: [Float], _ y: [Float]) -> Double { zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        let cosine = dot(values, third) / (dot(values, values) * dot(third, third)).squareRoot(), angle = acos(cosine)
        let (one, two) = abs(cosine) > 0.9995 ? (0.7, 0.3) : (sin(0.7 * angle) / sin(angle), sin(0.3 * angle) / sin(angle))
        for i in values.indices {
          #expect(abs(Double(spherical[name]?[i] ?? .nan) - (one * Double(values[i]) + two * Double(third[i]))) < 1e-6)
        }
      }
      for name in ["config.json", "generation_config.json", "tokenizer.json", "chat_template.jinja"] {
        #expect(binary.read("linear/" + name) == binary.read("run/model/" + name), "\(name)")
      }
      let manifest = String(decoding: binary.read("linear/manifest.json") ?? [], as: UTF8.self)
      #expect(manifest.contains("\"model 1\"") && manifest.contains("\"model 2\"") && manifest.contains("\"method\" : \"linear\""))
    }
  }

  @Test func anAdapter() throws {
    try inFolder { binary in
      try binary.useMade()
      let result = try binary.shell(
        """
        set -e
        weir finetune run --data docs.jsonl --epochs 1 --sequence 32 --batch-size 4 --lr 0.03 --method lora --quiet -o tuned
        weir merge run --adapter tuned/adapter -o merged --quiet
        weir verify merged
        """)
      #expect(result.code == 0, "\(result.errors)")
      #expect(binary.read("merged/model.safetensors") == binary.read("tuned/model/model.safetensors"))
      #expect(binary.read("merged/config.json") == binary.read("run/model/config.json"))
      for words in ["run tuned --adapter tuned/adapter", "run --adapter tuned/adapter --weight 0.5"] {
        #expect(try binary.shell("weir merge \(words) -o new").code == 64)
      }
    }
  }

  @Test func whatCannotBeMerged() throws {
    try inFolder { binary in
      try prepare(binary)
      let wide = try binary.shell("weir train set -o wide --width 64 --layers 1 --sequence 32 --batch-size 2 --tokens 128 --quiet")
      #expect(wide.code == 0)
      let alien = try binary.shell("weir train other-set -o alien --width 32 --layers 1 --sequence 32 --batch-size 2 --tokens 128 --quiet")
      #expect(alien.code == 0)
      expectFailure(try binary.shell("weir merge run wide -o new"), naming: ["wide/model", "run/model"])
      expectFailure(try binary.shell("weir merge run alien -o new"), naming: ["alien/model: has another tokenizer than run/model"])
      for (words, name) in [
        ("run -o new", "at least two models"), ("run tuned --weight 1.5 -o new", "0…1"), ("run tuned --weight -0.5 -o new", "≥ 0"),
        ("run tuned other --weight 0.5 -o new", "1 weights for 3 models"),
        ("run tuned other --method spherical -o new", "between two models"),
        ("run tuned --weight 0 0 -o new", "are all 0"),
      ] {
        let result = try binary.shell("weir merge \(words)")
        #expect(result.code == 64 && result.errors.contains(name), "\(words): \(result.errors)")
      }
      #expect(!binary.names.contains("new"))
    }
  }
}
