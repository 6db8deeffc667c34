/// The tensors of a model in a flat buffer of parameters. Matrices are [out, in], row-major. The query, key and value matrices are
/// adjacent, as are gate and up, so that each group is one matrix product.
package struct ParameterLayout: Sendable {
  package struct Tensor: Sendable {
    /// The name in `model.safetensors`.
    package let name: String
    package let shape: [Int]
    /// Its range in the buffer.
    package let range: Range<Int>
    /// Whether weight decay applies: only to the layers' matrices.
    package var decays: Bool { shape.count == 2 && name.hasPrefix("model.layers.") }
    var isBias: Bool { name.hasSuffix(".bias") }
  }

  /// Offsets of the tensors of one layer.
  struct Layer: Sendable {
    var inputNorm = 0
    var qkv = 0
    /// With biases, those of queries, keys and values; otherwise 0.
    var qkvBias = 0
    /// With QK-norm, the gains; otherwise 0.
    var queryNorm = 0
    var keyNorm = 0
    var output = 0
    /// With `Biases.all`, that of the output; otherwise 0.
    var outputBias = 0
    var postNorm = 0
    var gateUp = 0
    var down = 0
  }

  /// In the order of the buffer.
  package let tensors: [Tensor]
  /// Floats in the buffer.
  package let count: Int
  static let finalNormName = "model.norm.weight"
  let embedding: Int
  let layers: [Layer]
  let finalNorm: Int
  let head: Int

  package init(_ c: ModelConfiguration) {
    var tensors: [Tensor] = []
    var next = 0
    func add(_ name: String, _ shape: [Int]) -> Int {
      let start = next
      next += shape.reduce(1, *)
      tensors.append(Tensor(name: name, shape: shape, range: start..<next))
      return start
    }
    embedding = add("model.embed_tokens.weight", [c.vocabulary, c.width])
    var layers: [Layer] = []
    for index in 0..<c.layers {
      let prefix = "model.layers.\(index)."
      var layer = Layer()
      layer.inputNorm = add(prefix + "input_layernorm.weight", [c.width])
      layer.qkv = add(prefix + "self_attn.q_proj.weight", [c.queryWidth, c.width])
      _ = add(prefix + "self_attn.k_proj.weight", [c.keyWidth, c.width])
      _ = add(prefix + "self_attn.v_proj.weight", [c.keyWidth, c.width])
      if c.biases != nil {
        layer.qkvBias = add(prefix + "self_attn.q_proj.bias", [c.queryWidth])
        _ = add(prefix + "self_attn.k_proj.bias", [c.keyWidth])
        _ = add(prefix + "self_attn.v_proj.bias", [c.keyWidth])
      }
      if c.qkNorm {
        layer.queryNorm = add(prefix + "self_attn.q_norm.weight", [c.headWidth])
        layer.keyNorm = add(prefix + "self_attn.k_norm.weight", [c.headWidth])
      }
      layer.output = add(prefix + "self_attn.o_proj.weight", [c.width, c.queryWidth])
      if c.biases == .all { layer.outputBias = add(prefix + "self_attn.o_proj.bias", [c.width]) }
      layer.postNorm = add(prefix + "post_attention_layernorm.weight", [c.width])
      layer.gateUp = add(prefix + "mlp.gate_proj.weight", [c.ffn, c.width])
      _ = add(prefix + "mlp.up_proj.weight", [c.ffn, c.width])
      layer.down = add(prefix + "mlp.down_proj.weight", [c.width, c.ffn])
      layers.append(layer)
    }
    self.layers = layers
    finalNorm = add(Self.finalNormName, [c.width])
    head = c.tiedEmbeddings ? embedding : add("lm_head.weight", [c.vocabulary, c.width])
    self.tensors = tensors
    count = next
  }
}
