<?php
// A backend in PHP, without libraries: php -S 127.0.0.1:9000 backend.php

function is_signed(string $key, string $body): bool {
    [$id, $timestamp, $signatures] = array_map(
        fn($name) => $_SERVER["HTTP_WEBHOOK_$name"] ?? '', ['ID', 'TIMESTAMP', 'SIGNATURE']);
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) return false;
    $secret = base64_decode(preg_replace('/^whsec_/', '', $key));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $secret, true));
    foreach (explode(' ', $signatures) as $signature) if (hash_equals($expected, $signature)) return true;
    return false;
}

function text(string $words): array {
    return ['type' => 'text', 'text' => $words];
}

function answer(array $event): array {
    $chosen = $event['choice']['value'] ?? null;
    if ($chosen) return ['messages' => [text("You chose $chosen.")], 'attributes' => ['session' => ['colour' => $chosen]]];
    $colour = $event['attributes']['colour'] ?? null;
    if ($colour) return ['messages' => [text("Your colour is $colour.")]];
    $colours = [['title' => 'Red', 'value' => 'red'], ['title' => 'Green', 'value' => 'green']];
    $question = ['type' => 'choices', 'text' => 'Which colour do you like?', 'choices' => $colours];
    return ['messages' => [text('Hello!'), $question]];
}

$key = getenv('BACKEND_KEY'); // as the gateway has it; without a key, calls are not verified
$body = file_get_contents('php://input');
if ($key && !is_signed($key, $body)) {
    http_response_code(401);
    exit;
}
header('content-type: application/json');
echo json_encode(answer(json_decode($body, true)['event']));
