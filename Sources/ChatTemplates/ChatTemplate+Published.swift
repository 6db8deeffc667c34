/// Templates in the formats that model families were published with, for tokenizers without their own. They mark what the assistant
/// generates.
extension ChatTemplate {
  /// The names of the published templates.
  package static let publishedNames = ["chatml", "gemma", "gemma3", "llama2", "llama3", "mistral", "phi3", "qwen", "qwen3"]

  /// The template of a model family; nil for another name.
  package static func published(_ name: String) throws -> ChatTemplate? {
    guard let source = source(name) else { return nil }
    return try ChatTemplate(Array(source.utf8), place: "\(name) template")
  }

  /// The control tokens that a published template writes.
  package static func markers(of name: String) -> [String] {
    switch name {
    case "chatml", "qwen", "qwen3": ["<|im_start|>", "<|im_end|>"]
    case "gemma", "gemma3": ["<start_of_turn>", "<end_of_turn>"]
    case "llama3": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    case "phi3": ["<|user|>", "<|assistant|>", "<|end|>"]
    default: []
    }
  }

  private static func source(_ name: String) -> String? {
    switch name {
    case "chatml": chatML
    case "qwen": "{%- if messages[0].role != 'system' %}{{- '<|im_start|>system\\n\(qwenSystem)<|im_end|>\\n' }}{%- endif %}" + chatML
    case "qwen3": qwen3
    case "gemma":
      "{{- bos_token }}{%- if messages[0].role == 'system' %}{{- raise_exception('Gemma has no system role') }}{%- endif %}"
        + "{%- set first = '' %}{%- set turns = messages %}" + gemmaTurns
    case "gemma3": "{{- bos_token }}" + systemInFirstTurn + gemmaTurns
    case "llama2": systemOfLlama2 + instructionTurns(" ", " ")
    case "llama3": llama3
    case "mistral": "{{- bos_token }}" + systemInFirstTurn + instructionTurns(" ", "")
    case "phi3": phi3
    default: nil
    }
  }

  private static let qwenSystem = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."

  private static let chatML = #"""
    {%- for message in messages %}
        {{- '<|im_start|>' + message.role + '\n' }}
        {%- if message.role == 'assistant' %}
            {%- generation %}{{- message.content + '<|im_end|>\n' }}{%- endgeneration %}
        {%- else %}
            {{- message.content + '<|im_end|>\n' }}
        {%- endif %}
    {%- endfor %}
    {%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
    """#

  /// Reasoning stays in the turns after the last user message only; the last turn always has some, which may be empty.
  private static let qwen3 = #"""
    {%- set ns = namespace(question=0) %}
    {%- for message in messages %}
        {%- if message.role == 'user' %}{%- set ns.question = loop.index0 %}{%- endif %}
    {%- endfor %}
    {%- for message in messages %}
        {{- '<|im_start|>' + message.role + '\n' }}
        {%- if message.role == 'assistant' %}
            {%- set reasoning = message.reasoning_content | default('') %}
            {%- set content = message.content %}
            {%- if not reasoning and '</think>' in content %}
                {%- set reasoning = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\n') %}
            {%- endif %}
            {%- generation %}
                {%- if loop.index0 > ns.question and (loop.last or reasoning) %}
                    {{- '<think>\n' + reasoning.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
                {%- else %}
                    {{- content }}
                {%- endif %}
                {{- '<|im_end|>\n' }}
            {%- endgeneration %}
        {%- else %}
            {{- message.content + '<|im_end|>\n' }}
        {%- endif %}
    {%- endfor %}
    {%- if add_generation_prompt %}
        {{- '<|im_start|>assistant\n' }}
        {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}
    {%- endif %}
    """#

  private static let llama3 = #"""
    {%- for message in messages %}
        {%- if loop.first %}{{- bos_token }}{%- endif %}
        {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' }}
        {%- if message.role == 'assistant' %}
            {%- generation %}{{- message.content | trim + '<|eot_id|>' }}{%- endgeneration %}
        {%- else %}
            {{- message.content | trim + '<|eot_id|>' }}
        {%- endif %}
    {%- endfor %}
    {%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}
    """#

  private static let phi3 = #"""
    {%- for message in messages %}
        {{- '<|' + message.role + '|>\n' }}
        {%- if message.role == 'assistant' %}
            {%- generation %}{{- message.content + '<|end|>\n' }}{%- if loop.last %}{{- eos_token }}{%- endif %}{%- endgeneration %}
        {%- else %}
            {{- message.content + '<|end|>\n' }}
        {%- endif %}
    {%- endfor %}
    {%- if add_generation_prompt %}{{- '<|assistant|>\n' }}{%- elif messages[-1].role != 'assistant' %}{{- eos_token }}{%- endif %}
    """#

  /// Puts the system message before the first message of the user.
  private static let systemInFirstTurn = #"""
    {%- set first = '' %}
    {%- set turns = messages %}
    {%- if messages[0].role == 'system' %}
        {%- set first = messages[0].content + '\n\n' %}
        {%- set turns = messages[1:] %}
    {%- endif %}
    """#

  private static let systemOfLlama2 = #"""
    {%- set first = '' %}
    {%- set turns = messages %}
    {%- if messages[0].role == 'system' %}
        {%- set first = '<<SYS>>\n' + messages[0].content + '\n<</SYS>>\n\n' %}
        {%- set turns = messages[1:] %}
    {%- endif %}
    """#

  private static let gemmaTurns = #"""
    {%- for message in turns %}
        {%- if message.role == 'assistant' %}
            {{- '<start_of_turn>model\n' }}
            {%- generation %}{{- message.content | trim + '<end_of_turn>\n' }}{%- endgeneration %}
        {%- else %}
            {{- '<start_of_turn>' + message.role + '\n' + (first if loop.first else '') + message.content | trim + '<end_of_turn>\n' }}
        {%- endif %}
    {%- endfor %}
    {%- if add_generation_prompt %}{{- '<start_of_turn>model\n' }}{%- endif %}
    """#

  /// `[INST] … [/INST] …`, where Llama 2 begins every turn of the user with a beginning of text.
  private static func instructionTurns(_ before: String, _ after: String) -> String {
    let isLlama2 = !after.isEmpty
    return "{%- for message in turns %}{%- if message.role == 'assistant' %}"
      + "{%- generation %}{{- '\(before)' + message.content\(isLlama2 ? ".strip()" : "") + '\(after)' + eos_token }}{%- endgeneration %}"
      + "{%- else %}{{- \(isLlama2 ? "bos_token + " : "")'[INST] ' + ((first if loop.first else '') + message.content)"
      + "\(isLlama2 ? ".strip()" : "") + ' [/INST]' }}{%- endif %}{%- endfor %}"
  }
}
