import CKernels
import Kernels
import Primitives
import Testing

@Test(arguments: [1, 2, 3, 8]) func everyTaskRunsOnceOnAnyNumberOfThreads(threads: Int) {
  let pool = ThreadPool(threads: threads)
  #expect(pool.threads == threads)
  for count in [0, 1, 2, 7, 1000] {
    let counts = UnsafeMutableBufferPointer<Int32>.allocate(capacity: max(1, count))
    counts.initialize(repeating: 0)
    defer { counts.deallocate() }
    // Each task has an element of its own.
    nonisolated(unsafe) let shared = counts
    pool.run(count) { shared[$0] += 1 }
    #expect(counts.prefix(count).allSatisfy { $0 == 1 })
    pool.ranges(count, grain: 3) { range in for index in range { shared[index] += 1 } }
    #expect(counts.prefix(count).allSatisfy { $0 == 2 })
  }
}

/// Odd and even rows, one and several panels, a piece of inputs and one and a half.
@Test(arguments: [(64, 32), (128, 64), (192, 384), (64, 576)], [1, 2, 25])
func productsByHalvesAreThoseOfTheDefinition(shape: (outputs: Int, inputs: Int), rows: Int) {
  let (outputs, inputs) = shape
  #expect(weir_strassen_fits(outputs, inputs) == 1)
  var random = SequentialRandom(seed: UInt64(outputs + rows))
  let x = (0..<rows * inputs).map { _ in Float.random(in: -1...1, using: &random) }
  let weights = (0..<outputs * inputs).map { _ in Float.random(in: -1...1, using: &random) }
  var packed = [Float](repeating: 0, count: weir_strassen_floats(outputs, inputs))
  weir_strassen_pack(weights, outputs, inputs, &packed)
  var out = [Float](repeating: .nan, count: rows * outputs)
  weir_strassen(x, rows, inputs, packed, outputs, &out)
  for row in 0..<rows {
    for output in 0..<outputs {
      var sum = 0.0
      for k in 0..<inputs { sum += Double(x[row * inputs + k]) * Double(weights[output * inputs + k]) }
      #expect((Double(out[row * outputs + output]) - sum).magnitude < 5e-5)
    }
  }
}

/// A block of 32 columns and parts of one, blocks of 128 and what is behind them.
@Test(arguments: [1, 16, 31, 32, 33, 100, 128, 160, 256, 300], 0...2)
func rowsOfPairsAreThoseRoundedToBfloat16(columns: Int, seed: Int) {
  var random = SequentialRandom(seed: UInt64(columns + 1_000 * seed))
  let rows = 50, count = 40 * seed, stride = weir_pairs(columns)
  let matrix = (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &random) }
  let rounded = matrix.map { value in
    let bits = value.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }
  var pairs = [UInt32](repeating: .max, count: rows * stride)
  for row in 0..<rows {
    matrix.withUnsafeBufferPointer { matrix in
      pairs.withUnsafeMutableBufferPointer { pairs in
        guard let matrix = matrix.baseAddress, let pairs = pairs.baseAddress else { return }
        weir_pair_row(matrix + row * columns, columns, pairs + row * stride)
      }
    }
  }
  let index = (0..<count).map { _ in UInt32.random(in: 0..<UInt32(rows), using: &random) }
  let weights = (0..<count).map { _ in Float.random(in: 0...3, using: &random) }
  var out = [Float](repeating: .nan, count: columns + 1), plain = [Float](repeating: .nan, count: columns)
  weir_gather_pairs(index, weights, count, pairs, columns, &out)
  weir_gather_rows(index, weights, count, rounded, columns, &plain)
  #expect(Array(out[..<columns]) == plain)
  #expect(out[columns].isNaN)
}

@Test func whatCannotBeHalvedIsToldSo() {
  #expect(weir_strassen_fits(96, 64) == 0 && weir_strassen_fits(64, 48) == 0 && weir_strassen_fits(1_536, 384) == 1)
}

@Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
func productsAreThoseOfTheDefinition(transposeA: Bool, transposeB: Bool) {
  for seed in 1...4 as ClosedRange<UInt64> {
    var random = SequentialRandom(seed: seed)
    let (m, n, k) = (Int.random(in: 1...20, using: &random), Int.random(in: 1...20, using: &random), Int.random(in: 1...20, using: &random))
    let a = (0..<m * k).map { _ in Float.random(in: -1...1, using: &random) }
    let b = (0..<k * n).map { _ in Float.random(in: -1...1, using: &random) }
    let start = (0..<m * n).map { _ in Float.random(in: -1...1, using: &random) }
    var c = start
    c.withUnsafeMutableBufferPointer { result in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress, let result = result.baseAddress else { return }
          BLAS.sgemm(
            transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 0.5, a: a, lda: transposeA ? m : k, b: b,
            ldb: transposeB ? k : n, beta: 2, c: result, ldc: n)
        }
      }
    }
    for row in 0..<m {
      for column in 0..<n {
        var sum = 0.0
        for inner in 0..<k {
          let left = transposeA ? a[inner * m + row] : a[row * k + inner]
          let right = transposeB ? b[column * k + inner] : b[inner * n + column]
          sum += Double(left) * Double(right)
        }
        #expect(abs(Double(c[row * n + column]) - (0.5 * sum + 2 * Double(start[row * n + column]))) < 1e-5)
      }
    }
  }
}

@Test(arguments: [1, 5, 16, 33, 70]) func theGramMatrixIsThatOfTheDefinition(columns: Int) {
  var random = SequentialRandom(seed: UInt64(columns))
  for rows in [1, 127, 1_500] {
    let a = (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &random) }
    let gram = Gram.matrix(a, rows: rows, columns: columns, pool: ThreadPool(threads: 2))
    #expect(gram == Gram.matrix(a, rows: rows, columns: columns, pool: ThreadPool(threads: 1)))
    for i in 0..<columns {
      for j in 0..<columns {
        let sum = (0..<rows).reduce(0.0) { $0 + Double(a[$1 * columns + i]) * Double(a[$1 * columns + j]) }
        #expect((gram[i * columns + j] - sum).magnitude < 1e-12 * Double(rows))
      }
    }
  }
}

@Test(arguments: [0, 1, 17, 2 << 20, (2 << 20) + 1, 5_000_000]) func aBlockBeginsAsZerosWhateverWasThereBefore(count: Int) {
  for _ in 1...2 {
    let block = FloatBuffer(count)
    #expect(UInt(bitPattern: block.base) % 64 == 0)
    let values = UnsafeMutableBufferPointer(start: block.base, count: count)
    #expect(values.allSatisfy { $0 == 0 })
    values.update(repeating: 1)
    #expect(FloatBuffer(copying: block).values.allSatisfy { $0 == 1 })
  }
}
