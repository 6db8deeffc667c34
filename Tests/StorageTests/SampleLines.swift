import Primitives

/// Pseudo-random text lines.
func sampleLines(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SequentialRandom(seed: seed)
  var bytes: [UInt8] = []
  for _ in 0..<count {
    for _ in 0..<Int.random(in: 0..<60, using: &random) { bytes.append(UInt8.random(in: 97...122, using: &random)) }
    bytes.append(0x0A)
  }
  return bytes
}
